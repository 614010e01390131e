"""The archive that bench-search searches: a year of made-up articles whose vectors come from real paragraphs.

A paragraph's vector is a real one, moved by the difference of two others of its language, so that length and direction
of the noise are those of real texts: x = mean + a (real - mean) + s (one - other), a*a + 2*s*s = 1, which keeps the
covariance. With s even between NEAREST and FARTHEST as many made paragraphs as real ones have neighbours as near as
the real ones' and as many dimensions to hide in; `likeness` measures both.

News come in waves: an article is made of an item that the stream had at about the same part of its own time, the rest
of its paragraphs of the items most like that one. Some articles are carried by up to forty papers, some are published
in a second version, and three papers end every article with the same words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from stream_feeds import StreamItem

from pipeline.adapters.database import Connection
from pipeline.adapters.vector_cache import CachedEncoder
from pipeline.logic.text import line, paragraphs

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 365
DAY = 86_400
HELD_EVERY = 40  # every so-manieth item stays out of the archive; its headline is searched for
NEAREST, FARTHEST = 0.15, 0.65  # share s of the difference that moves a vector
LIKE = 8  # items most like one, itself included, that its paragraphs are made of
PUBLISHERS = 200
COPIED, MOST_COPIES = 0.06, 39  # share of articles that other papers carry too, and by how many at most
CHANGED = 0.05  # share of articles with a second version
IN_WAVES, WIDTH = 0.7, 0.03  # share of articles that tell what is told at that time, and how wide a wave is
COUNTRIES = {"ko": ("KR",), "en": ("US", "GB", "SG", "IN"), "fr": ("FR", "BE"), "ja": ("JP",)}
CHUNK = 20_000  # vectors made at a time

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Pool:
    """Real paragraphs: texts, languages, vectors (one a row), the titles' and bodies' numbers by item, and of each item
    the items most like it. `held` are headlines that are not in it, with their vectors.
    """

    texts: list[str]
    languages: NDArray[np.str_]
    vectors: NDArray[np.float32]
    titles: Ints
    bodies: Ints
    like: Ints
    held: list[tuple[str, NDArray[np.float32]]]


def pool(items: list[StreamItem], encoder: CachedEncoder) -> Pool:
    """The stream's items in the order of publication, without those that only hold headlines to search for."""
    texts: list[str] = []
    languages, titles, bodies, held = [], [], [], []
    for number, item in enumerate(items):
        title, *body = [text for text in (line(item.title), *paragraphs(item.text)) if text] or [""]
        if not title:
            continue
        if number % HELD_EVERY == 0:
            held.append(title)
            continue
        titles.append(len(texts))
        bodies.append(len(texts) + (1 if body else 0))
        texts += [title, *body]
        languages += [item.language] * (1 + len(body))
    held = [title for title in dict.fromkeys(held) if title not in set(texts)]
    vectors = encoder.encode(texts)
    by_item = np.array(titles)
    return Pool(
        texts,
        np.array(languages),
        vectors,
        by_item,
        np.array(bodies),
        _like(vectors[by_item], np.array(languages)[by_item]),
        list(zip(held, encoder.encode(held), strict=True)),
    )


def _like(vectors: NDArray[np.float32], languages: NDArray[np.str_]) -> Ints:
    """Of each row the LIKE rows of its language nearest to it, the nearest (itself) first."""
    found = np.zeros((len(vectors), LIKE), np.int64)
    for language in np.unique(languages):
        own = np.flatnonzero(languages == language)
        for start in range(0, len(own), 1000):
            part = own[start : start + 1000]
            near = vectors[part] @ vectors[own].T
            best = np.argsort(-near, axis=1)[:, :LIKE]
            found[part] = own[np.pad(best, ((0, 0), (0, LIKE - best.shape[1])), mode="edge")]
    return found


class Moved:
    """Makes vectors of the pool's."""

    def __init__(self, real: Pool, generator: np.random.Generator) -> None:
        self._vectors, self._generator = real.vectors, generator
        names, self._language = np.unique(real.languages, return_inverse=True)
        self._of = [np.flatnonzero(self._language == k) for k in range(len(names))]
        self._means = np.stack([real.vectors[own].mean(axis=0) for own in self._of])

    def __call__(self, bases: Ints) -> NDArray[np.float16]:
        """One vector for each of the given real ones."""
        language = self._language[bases]
        one, other = np.empty_like(bases), np.empty_like(bases)
        for k, own in enumerate(self._of):
            these = language == k
            one[these], other[these] = own[self._generator.integers(0, len(own), (2, int(these.sum())))]
        share = self._generator.uniform(NEAREST, FARTHEST, (len(bases), 1)).astype(np.float32)
        mean = self._means[language]
        made = mean + np.sqrt(1 - 2 * share**2) * (self._vectors[bases] - mean)
        made += share * (self._vectors[one] - self._vectors[other])
        return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float16)


def likeness(real: Pool) -> dict[str, dict[str, float]]:
    """As many made paragraphs as real ones, side by side: medians of the similarity of the nearest, the tenth and the
    hundredth neighbour and of any two, and the dimensions in which a neighbourhood spreads (maximum likelihood).
    """
    generator = np.random.default_rng(3)
    made = Moved(real, generator)(generator.integers(0, len(real.texts), len(real.texts))).astype(np.float32)
    return {"real": _spread(real.vectors, generator), "made": _spread(made, generator)}


def _spread(vectors: NDArray[np.float32], generator: np.random.Generator) -> dict[str, float]:
    chosen = generator.permutation(len(vectors))[:300]
    near = np.sort(vectors[chosen] @ vectors.T, axis=1)[:, ::-1]
    distance = np.sqrt(np.maximum(2 - 2 * near[:, 1:101], 1e-9))
    dimensions = 1 / np.log(distance[:, -1:] / distance[:, :-1]).mean(axis=1)
    found = {"nearest": near[:, 1], "10th": near[:, 10], "100th": near[:, 100], "any": near, "dimensions": dimensions}
    return {name: round(float(np.median(values)), 3) for name, values in found.items()}


@dataclass(frozen=True)
class Plan:
    """Who published what when. Articles are numbered in the order of publication, from 0; paragraphs likewise."""

    bases: Ints  # of each paragraph, the real one
    first: Ints  # of each report, its first paragraph; one more entry at the end
    report: Ints  # of each article, its report
    seconds: Ints  # of each article, since BEGIN
    publisher: Ints  # of each article
    original: NDArray[np.bool_]  # of each article, whether it is its report's first
    changed: NDArray[np.bool_]  # of each article, whether it has a second version


def plan(real: Pool, count: int, generator: np.random.Generator) -> Plan:
    """Reports of two to fifteen paragraphs, `count` in all, and the articles that carry them."""
    lengths = np.clip(generator.poisson(6, count // 4 + 2) + 1, 2, 15)
    lengths = lengths[: int(np.searchsorted(np.cumsum(lengths), count)) + 1]
    lengths[-1] -= lengths.sum() - count
    first = np.concatenate([[0], np.cumsum(lengths)])
    reports = len(lengths)
    quiet = np.where(np.arange(DAYS) % 7 >= 5, 0.6, 1.0)  # weekends
    days = generator.choice(DAYS, reports, p=quiet / quiet.sum())
    at = np.sort(days * DAY + generator.integers(0, DAY, reports))
    items = len(real.titles)
    now = (at / (DAYS * DAY) * items + generator.normal(0, WIDTH * items, reports)).astype(np.int64) % items
    item = np.where(generator.random(reports) < IN_WAVES, now, generator.integers(0, items, reports))
    of = np.repeat(np.arange(reports), lengths)
    place = np.arange(count) - first[of]
    bases = np.where(place == 0, real.titles[item[of]], real.bodies[real.like[item[of], (place - 1) % LIKE]])
    copies = np.where(generator.random(reports) < COPIED, generator.pareto(1.2, reports).astype(int) + 1, 0)
    copies = np.minimum(copies, MOST_COPIES)
    report = np.concatenate([np.arange(reports), np.repeat(np.arange(reports), copies)])
    original = np.arange(len(report)) < reports
    late = np.where(original, 0, generator.exponential(6 * 3600, len(report)))
    seconds = np.minimum(at[report] + late.astype(np.int64), DAYS * DAY - 1)
    names = sorted(set(real.languages.tolist()))
    own = [np.arange(PUBLISHERS)[np.arange(PUBLISHERS) % len(names) == k] for k in range(len(names))]
    language = np.searchsorted(names, real.languages[real.titles[item]])[report]
    publisher = np.empty_like(report)
    for k, group in enumerate(own):
        publisher[language == k] = generator.choice(group, int((language == k).sum()))
    order = np.argsort(seconds, kind="stable")
    changed = generator.random(len(report)) < CHANGED
    return Plan(bases, first, report[order], seconds[order], publisher[order], original[order], changed)


def fill(conn: Connection, real: Pool, made: Plan, model_id: int, generator: np.random.Generator) -> None:
    """Store it all by COPY; the index of vectors is left as it is, which a caller has dropped before."""
    names = sorted(set(real.languages.tolist()))
    language = [str(real.languages[base]) for base in made.bases[made.first[:-1]]]
    when = [BEGIN + timedelta(seconds=int(s)) for s in made.seconds]
    titles = [real.texts[base] for base in made.bases[made.first[:-1]]]
    stamp, number, text = "timestamptz", "int8", "text"

    def copied(table: str, types: list[str], rows: Iterator[tuple[object, ...]]) -> None:
        with conn.cursor() as cursor, cursor.copy(f"copy ingest.{table} from stdin (format binary)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    with conn.transaction():
        copied(
            "publishers (publisher_id, name, family, country, language, kind)",
            [number, text, text, text, text, text],
            ((p + 1, f"Paper {p}", f"House {p // 3}", *_place(names, p), "newspaper") for p in range(PUBLISHERS)),
        )
        reports = len(made.first) - 1
        first_at = dict(zip(made.report[made.original].tolist(), np.flatnonzero(made.original).tolist(), strict=True))
        copied(
            "stories (story_id, first_seen_at)", [number, stamp], ((r + 1, when[first_at[r]]) for r in range(reports))
        )
        copied(
            "articles (article_id, url, publisher_id, story_id, first_seen_at, story_relation)",
            [number, text, number, number, stamp, text],
            (
                (a + 1, f"https://paper-{p}.example/{a}", p + 1, r + 1, when[a], "first" if o else "copy")
                for a, (p, r, o) in enumerate(
                    zip(made.publisher.tolist(), made.report.tolist(), made.original.tolist(), strict=True)
                )
            ),
        )
        versions = [*range(len(when)), *np.flatnonzero(made.changed).tolist()]  # of each version, its article
        copied(
            "versions (version_id, article_id, version_hash, source, title, language, published_at, known_at)",
            [number, number, "bytea", text, text, text, stamp, stamp],
            (
                (v + 1, a + 1, _digest(f"version {v}"), "page", titles[r], language[r], when[a], when[a])
                for v, (a, r) in enumerate(zip(versions, made.report[versions].tolist(), strict=True))
            ),
        )
        of = np.repeat(np.arange(reports), np.diff(made.first)).tolist()
        copied(
            "paragraphs (paragraph_id, content_hash, text, language, first_version_id, first_seen_at)",
            [number, "bytea", text, text, number, stamp],
            (
                (
                    n + 1,
                    _digest(f"paragraph {n}"),
                    f"{real.texts[base]} ({n})",
                    language[r],
                    first_at[r] + 1,
                    when[first_at[r]],
                )
                for n, (base, r) in enumerate(zip(made.bases.tolist(), of, strict=True))
            ),
        )
        copied(
            "appearances (version_id, position, paragraph_id, kind)",
            [number, "int4", number, text],
            _appearances(made, versions),
        )
        _vectors(conn, real, made, model_id, generator)
        for table, column in (
            ("publishers", "publisher_id"),
            ("stories", "story_id"),
            ("articles", "article_id"),
            ("versions", "version_id"),
            ("paragraphs", "paragraph_id"),
        ):
            last = f"select max({column}) from ingest.{table}"
            conn.execute(f"select setval(pg_get_serial_sequence('ingest.{table}', '{column}'), ({last}))")


def _place(names: list[str], publisher: int) -> tuple[str, str]:
    language = names[publisher % len(names)]
    countries = COUNTRIES.get(language, ("DE",))
    return countries[publisher // len(names) % len(countries)], language


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _appearances(made: Plan, versions: list[int]) -> Iterator[tuple[object, ...]]:
    """A second version lacks the last paragraph. The first three papers end each text with the same paragraph."""
    for v, a in enumerate(versions):
        r, publisher = int(made.report[a]), int(made.publisher[a])
        begin, end = int(made.first[r]), int(made.first[r + 1])
        if v >= len(made.report):
            end -= 1
        for position, paragraph in enumerate(range(begin, end)):
            yield v + 1, position, paragraph + 1, "body" if position else "title"
        if publisher < 3 and begin > 15:
            yield v + 1, end - begin, publisher + 1, "body"


def _vectors(conn: Connection, real: Pool, made: Plan, model_id: int, generator: np.random.Generator) -> None:
    """As rows of binary COPY, made by the thousand."""
    width = real.vectors.shape[1]
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("l1", ">i4"),
            ("id", ">i8"),
            ("l2", ">i4"),
            ("d", ">i2"),
            ("u", ">i2"),
            ("v", ">f2", (width,)),
        ]
    )
    move = Moved(real, generator)
    with (
        conn.cursor() as cursor,
        cursor.copy(f"copy ingest.embeddings_{model_id} (paragraph_id, embedding) from stdin (format binary)") as copy,
    ):
        copy.write(b"PGCOPY\n\xff\r\n\x00" + bytes(8))
        for start in range(0, len(made.bases), CHUNK):
            vectors = move(made.bases[start : start + CHUNK])
            rows = np.zeros(len(vectors), row)
            rows["fields"], rows["l1"], rows["l2"], rows["d"] = 2, 8, 4 + 2 * width, width
            rows["id"] = np.arange(start + 1, start + 1 + len(vectors))
            rows["v"] = vectors
            copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


def stored(conn: Connection, model_id: int) -> tuple[Ints, NDArray[np.float32]]:
    """Every paragraph's number and vector, as the database has them."""
    with (
        conn.cursor() as cursor,
        cursor.copy(f"copy ingest.embeddings_{model_id} (paragraph_id, embedding) to stdout (format binary)") as copy,
    ):
        data = b"".join(bytes(part) for part in copy)
    width = int.from_bytes(data[19 + 18 : 19 + 20])
    row = np.dtype(
        [
            ("fields", ">i2"),
            ("l1", ">i4"),
            ("id", ">i8"),
            ("l2", ">i4"),
            ("d", ">i2"),
            ("u", ">i2"),
            ("v", ">f2", (width,)),
        ]
    )
    rows = np.frombuffer(data, row, offset=19, count=(len(data) - 21) // row.itemsize)
    return rows["id"].astype(np.int64), rows["v"].astype(np.float32)
