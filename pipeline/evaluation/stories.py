"""How well articles are grouped into stories: labelled sets, the stage's own decision over them in memory, B-cubed.

clusters   news_events.jsonl.gz: full articles by event; events are cut in two, `tune` and `report`, by their number
stream     real feed items, unlabelled: what a feed shows of a day
newsroom   the sample articles: same_event_as and syndicated_from; `dev` before 2025, `test` after
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pipeline.logic import grouping, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


class Encoding(Protocol):
    def encode(self, texts: list[str]) -> Matrix: ...


@dataclass(frozen=True)
class Report:
    """A labelled article. Two with one `event` belong together; `copy_of` names the article that it republishes."""

    id: str
    event: str
    published: datetime
    language: str
    title: str
    paragraphs: tuple[str, ...]
    copy_of: str | None = None


@dataclass(frozen=True)
class Bcubed:
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def bcubed(truth: Mapping[str, Hashable], found: Mapping[str, Hashable]) -> Bcubed:
    """B-cubed over items (Bagga and Baldwin 1998): the mean over items of what their two groups have in common."""
    right, ours = defaultdict(set), defaultdict(set)
    for item in truth:
        right[truth[item]].add(item)
        ours[found[item]].add(item)
    common = {item: len(right[truth[item]] & ours[found[item]]) for item in truth}
    return Bcubed(
        sum(common[item] / len(ours[found[item]]) for item in truth) / len(truth),
        sum(common[item] / len(right[truth[item]]) for item in truth) / len(truth),
    )


def clusters(file: Path, part: str = "all") -> list[Report]:
    """Events with an even number are `tune`, the others `report`."""
    found = []
    for raw in map(json.loads, gzip.decompress(file.read_bytes()).decode().splitlines()):
        if part != "all" and (int(raw["event"]) % 2 == 0) != (part == "tune"):
            continue
        published = _utc(raw["published"])
        title, paragraphs = text.line(raw["title"]), text.paragraphs(raw["text"])
        found.append(Report(str(raw["id"]), str(raw["event"]), published, "en", title, paragraphs))
    return found


def newsroom(file: Path, part: str = "all") -> list[Report]:
    """Articles in their first version."""
    articles = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    articles = [raw for raw in articles if not raw["edited_from"]]
    same = {raw["id"]: min(raw["id"], *raw["same_event_as"], raw["id"]) for raw in articles}
    return [
        Report(
            raw["id"],
            same[raw["syndicated_from"] or raw["id"]],
            _utc(raw["published"]),
            raw["lang"],
            text.line(raw["title"]),
            tuple(text.clean(paragraph) for paragraph in raw["paragraphs"]),
            raw["syndicated_from"],
        )
        for raw in articles
        if part == "all" or (raw["published"] < "2025") == (part == "dev")
    ]


def stream(file: Path, since: str, until: str) -> list[Report]:
    """Real feed items, title and summary, without labels: every item an event of its own."""
    found = []
    for raw in map(json.loads, gzip.decompress(file.read_bytes()).decode().splitlines()):
        title, paragraphs = text.line(raw["title"]), text.paragraphs(text.strip_html(raw["summary"] or ""))
        if since <= raw["published"] < until and (title or paragraphs):
            key = str(raw["id"])
            found.append(Report(key, key, _utc(raw["published"]), raw["lang"], title, paragraphs))
    return found


def _utc(moment: str) -> datetime:
    at = datetime.fromisoformat(moment)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Archive:
    """What the stage asks the database, in memory: the same look-ups with the same bounds, exact instead of HNSW."""

    def __init__(self) -> None:
        self.articles: list[grouping.Article] = []
        self._bands: list[set[int]] = []
        self._bodies: list[set[bytes]] = []
        self._owners = np.zeros(0, np.intp)
        self._rows = np.zeros((0, 1), np.float32)
        self._used = 0

    def add(self, article: grouping.Article, body: set[bytes]) -> None:
        more = len(article.vectors)
        if self._used + more > len(self._owners):
            size = 2 * (self._used + more)
            rows = np.zeros((size, article.vectors.shape[1]), np.float32)
            owners = np.zeros(size, np.intp)
            rows[: self._used], owners[: self._used] = self._rows[: self._used], self._owners[: self._used]
            self._rows, self._owners = rows, owners
        self._rows[self._used : self._used + more] = article.vectors
        self._owners[self._used : self._used + more] = len(self.articles)
        self._used += more
        self.articles.append(article)
        self._bands.append(set(grouping.bands(article.sketch)))
        self._bodies.append(body)

    def candidates(
        self, article: grouping.Article, body: Mapping[bytes, int]
    ) -> tuple[list[grouping.Article], dict[int, float]]:
        """Candidates, and which share of the article's text each has word for word. `body`: paragraph to length."""
        chosen: set[int] = set()
        if self._used:
            owners = self._owners[: self._used]
            cosines = article.vectors[:2] @ self._rows[: self._used].T
            window = timedelta(days=grouping.WINDOW_DAYS)
            near = np.array([abs(other.published - article.published) <= window for other in self.articles])[owners]
            for line in cosines:
                order = np.argsort(-line, kind="stable")
                chosen.update(owners[order[near[order]][: grouping.NEAR]].tolist())
                chosen.update(owners[order[: grouping.NEAR_ANYTIME]].tolist())
        mine = set(grouping.bands(article.sketch))
        banded = sorted(range(len(self.articles)), key=lambda n: -len(mine & self._bands[n]))[: grouping.COPIES]
        chosen.update(n for n in banded if mine & self._bands[n])
        total = sum(body.values())
        shares = {
            self.articles[n].article_id: sum(body[key] for key in shared) / total
            for n, theirs in enumerate(self._bodies)
            if (shared := body.keys() & theirs)
        }
        chosen.update(n for n in range(len(self.articles)) if self.articles[n].article_id in shares)
        return [self.articles[n] for n in sorted(chosen)], shares


def group(reports: Sequence[Report], encoder: Encoding, seen: list[Any] | None = None) -> dict[str, tuple[int, str]]:
    """(story, relation) of each report, taken in order of time. `seen` collects (report, article, candidates)."""
    heads = [_head(report) for report in reports]
    texts = list(dict.fromkeys(t for head in heads for t in head))
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    archive, found = Archive(), dict[str, tuple[int, str]]()
    order = sorted(range(len(reports)), key=lambda n: (reports[n].published, reports[n].id))
    for number, n in enumerate(order, 1):
        report = reports[n]
        matrix = np.stack([vectors[t] for t in heads[n]])
        sketch = grouping.sketch(report.title, report.paragraphs)
        article = grouping.Article(number, report.published, report.language, sketch, matrix)
        body = {text.content_hash(p): len(p) for p in report.paragraphs}
        candidates, shares = archive.candidates(article, body)
        placed = grouping.decide(article, candidates, shares)
        if seen is not None:
            seen.append((report, article, candidates))
        story = number if placed.story_id is None else placed.story_id
        found[report.id] = story, placed.relation
        archive.add(grouping.Article(number, report.published, report.language, sketch, matrix, story), set(body))
    return found


def _head(report: Report) -> list[str]:
    return [t for t in (report.title, *report.paragraphs[: grouping.HEAD]) if t]


def score(reports: Sequence[Report], found: Mapping[str, Hashable]) -> Bcubed:
    return bcubed({report.id: report.event for report in reports}, found)


def single_pass(reports: Sequence[Report], threshold: float) -> dict[str, int]:
    """The baseline: TF-IDF over the whole set; in order of time each article joins the nearest mean."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    whole = [f"{report.title}\n{chr(10).join(report.paragraphs)}" for report in reports]
    matrix = TfidfVectorizer(sublinear_tf=True, stop_words="english").fit_transform(whole).toarray()
    sums: list[Any] = []
    found: dict[str, int] = {}
    for n in sorted(range(len(reports)), key=lambda n: (reports[n].published, reports[n].id)):
        cosines = [float(total @ matrix[n]) / float(np.linalg.norm(total)) for total in sums]
        best = max(range(len(sums)), key=cosines.__getitem__, default=None)
        if best is None or cosines[best] < threshold:
            best = len(sums)
            sums.append(np.zeros(matrix.shape[1]))
        sums[best] = sums[best] + matrix[n]
        found[reports[n].id] = best
    return found


def wire_stories(reports: Sequence[Report], found: Mapping[str, Hashable]) -> dict[str, int]:
    """Original to the number of stories that it and its copies came to; 1 is right."""
    wires: dict[str, set[Hashable]] = defaultdict(set)
    for report in reports:
        if report.copy_of is not None:
            wires[report.copy_of] |= {found[report.id], found[report.copy_of]}
    return {original: len(stories) for original, stories in wires.items()}
