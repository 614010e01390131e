"""Two texts side by side: which paragraphs stand against each other, and which of their words are other ones. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.logic import versions
from pipeline.logic.versions import Piece

# Characters of reworded paragraphs that are compared word by word in one text; those after it are marked as a whole. A
# long report has 20,000; the time of the comparison grows with the square of a paragraph's words.
WORDWISE = 60_000
PARAGRAPH = 6_000  # of one paragraph


@dataclass(frozen=True)
class Line:
    """A paragraph beside the one that it stands against. Positions are 0 for the title; None on a side without any."""

    kind: str  # same, changed, added or removed
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()
    position_before: int | None = None
    position_after: int | None = None

    @property
    def text(self) -> str:
        """What stands there now, or stood there."""
        return "".join(piece.text for piece in self.after or self.before)


@dataclass(frozen=True)
class Stretch:
    """Lines one after the other that are all the same, or all not."""

    same: bool
    lines: tuple[Line, ...]


def side_by_side(before: Sequence[str], after: Sequence[str]) -> list[Line]:
    """All of both texts in reading order; each text is its title ("" for none) and then its paragraphs."""
    found = versions.changes(before, after)
    by_after = {change.after: change for change in found if change.after is not None}
    removed = {change.before for change in found if change.after is None}
    lines: list[Line] = []
    room = WORDWISE
    i = 0 if before[0] else 1  # the next of the text before; a title that is not there takes no line
    for j in range(0 if after[0] else 1, len(after)):
        change = by_after.get(j)
        while i in removed and (j > 0 or i == 0):  # a title comes first, whatever went below it
            lines.append(_alone("removed", before[i], i))
            i += 1
        if change is not None and change.before is None:
            lines.append(_alone("added", after[j], j))
            continue
        if change is None:
            lines.append(Line("same", (Piece("same", before[i]),), (Piece("same", after[j]),), i, j))
        else:
            size = len(before[i]) + len(after[j])
            lines.append(_changed(before[i], after[j], i, j, wordwise=size <= min(room, 2 * PARAGRAPH)))
            room -= size
        i += 1
    return lines + [_alone("removed", before[k], k) for k in range(i, len(before))]


def stretches(lines: Iterable[Line], context: int = 1) -> list[Stretch]:
    """Lines put together so that long parts without a change can be folded away, `context` lines around one apart."""
    given = list(lines)
    near = {
        k
        for i, line in enumerate(given)
        if line.kind != "same"
        for k in range(max(0, i - context), min(len(given), i + context + 1))
    }
    shown = [i in near for i in range(len(given))]
    cuts = [0, *(i for i in range(1, len(given)) if shown[i] != shown[i - 1]), len(given)]
    return [Stretch(not shown[a], tuple(given[a:b])) for a, b in pairwise(cuts) if b > a]


def _alone(kind: str, text: str, position: int) -> Line:
    pieces = (Piece(kind, text),)
    if kind == "added":
        return Line(kind, after=pieces, position_after=position)
    return Line(kind, before=pieces, position_before=position)


def _changed(before: str, after: str, i: int, j: int, *, wordwise: bool) -> Line:
    pieces = smoothed(versions.words(before, after)) if wordwise else [Piece("removed", before), Piece("added", after)]
    left = tuple(piece for piece in pieces if piece.kind != "added")
    right = tuple(piece for piece in pieces if piece.kind != "removed")
    return Line("changed", left, right, i, j)


def smoothed(pieces: Sequence[Piece]) -> list[Piece]:
    """The spaces between two other words belong to them: "[-ten thousand-]", not "[-ten-] [-thousand-]"."""
    found: list[Piece] = []
    removed = added = ""
    for i, piece in enumerate(pieces):
        bridge = piece.kind == "same" and piece.text.isspace() and (removed or added) and i + 1 < len(pieces)
        if piece.kind == "removed" or bridge:
            removed += piece.text
        if piece.kind == "added" or bridge:
            added += piece.text
        if piece.kind == "same" and not bridge:
            found += _flushed(removed, added)
            removed = added = ""
            found.append(piece)
    return found + _flushed(removed, added)


def _flushed(removed: str, added: str) -> list[Piece]:
    """What was gathered, less the spaces at its ends that both sides share."""
    both = removed and added
    end = ""
    if both and removed[-1].isspace() and added[-1].isspace():
        kept = removed.rstrip()
        end = removed[len(kept) :]
        if added.endswith(end):
            removed, added = kept, added[: len(added) - len(end)]
        else:
            end = ""
    pieces = [Piece("removed", removed)] if removed else []
    pieces += [Piece("added", added)] if added else []
    return pieces + ([Piece("same", end)] if end else [])
