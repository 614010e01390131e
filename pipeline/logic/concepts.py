"""The concepts that texts name, for many claims at once: hits as a matrix, and the share of each claim's groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipeline.logic.claimsfile import Claim
from pipeline.logic.terms import Lexicon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


class ConceptTable:
    """All concepts of the claims' groups and cues. Concepts of one name may differ between topics: terms count."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self._column: dict[tuple[str, tuple[str, ...]], int] = {}
        groups = [[[self._of(*c) for c in concepts.items()] for concepts in k.groups.values()] for k in claims]
        self._cues = [{name: self._of(name, terms) for name, terms in claim.cues.items()} for claim in claims]
        self.names = [name for name, _ in self._column]
        self.size = len(self._column)
        self._lexicon = Lexicon({str(i): terms for i, (_, terms) in enumerate(self._column)})
        # One column a group: which concepts are its alternatives; and one row a claim: which groups are its own.
        flat = [(j, group) for j, of_claim in enumerate(groups) for group in of_claim]
        self._alternatives = np.zeros((self.size, len(flat)), np.float32)
        self._owner = np.zeros((len(flat), len(claims)), np.float32)
        for g, (j, group) in enumerate(flat):
            self._alternatives[group, g] = 1
            self._owner[g, j] = 1 / len(groups[j])
        self.grouped = np.array([bool(of_claim) for of_claim in groups])
        used = Counter(c for of_claim in groups for c in {c for group in of_claim for c in group})
        self.core = used.most_common(1)[0][0] if used else None
        # Claims that are about the core and nothing else: a group has no alternative to it.
        self.about_core = np.array([any(group == [self.core] for group in of_claim) for of_claim in groups])

    def _of(self, name: str, terms: tuple[str, ...]) -> int:
        return self._column.setdefault((name, terms), len(self._column))

    def hits(self, texts: Sequence[str]) -> Matrix:
        """Which concepts each text names: (texts, concepts), 1 or 0."""
        found = np.zeros((len(texts), self.size), np.float32)
        known: dict[str, list[int]] = {}
        for row, text in enumerate(texts):
            if text not in known:
                known[text] = [int(name) for name in self._lexicon.concepts_in(text)]
            found[row, known[text]] = 1
        return found

    def shares(self, hits: Matrix) -> Matrix:
        """The share of each claim's groups that the text names: (texts, claims). A claim without groups has 0."""
        return np.asarray((hits @ self._alternatives > 0).astype(np.float32) @ self._owner, np.float32)

    def names_core(self, hits: Matrix) -> Matrix:
        """Whether the text names the concept that most claims share: (texts,)."""
        return hits[:, self.core] if self.core is not None else np.zeros(len(hits), np.float32)

    def cue(self, claim: int, name: str, hits: Matrix) -> Matrix:
        column = self._cues[claim].get(name)
        return hits[:, column] if column is not None else np.zeros(len(hits), np.float32)

    def group_names(self, claim: Claim, hits: Matrix) -> list[str]:
        """The claim's concepts that one text names, in the order of its groups; `hits` is one row."""
        columns = [self._column[key] for concepts in claim.groups.values() for key in concepts.items()]
        return [self.names[c] for c in dict.fromkeys(columns) if hits[c]]
