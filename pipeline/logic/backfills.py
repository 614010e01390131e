"""What a backfill is asked for, and the lists that it is given: addresses, and files of a web archive."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from pipeline.errors import ConfigurationError
from pipeline.logic import language
from pipeline.logic.terms import Lexicon

KINDS = ("urls", "sitemap", "warc")
MAX_MANIFEST = 50 * 2**20  # bytes, unpacked; a month of CC-NEWS has 60 kB
_FITTING = {
    "languages": ("sitemap", "warc"),
    "terms": ("warc",),
    "anything": ("warc",),
    "since": ("sitemap", "warc"),
    "until": ("sitemap", "warc"),
    "base": ("warc",),
    "limit": KINDS,
}


@dataclass(frozen=True)
class Options:
    """`terms` empty means those of the claims in force; `anything`, that a page need not name any."""

    languages: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    anything: bool = False
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None
    base: str | None = None  # where a manifest's lines lie: a folder or an address

    def stored(self) -> dict[str, Any]:
        """As plain data; what was not asked for is left out."""
        given = {
            "languages": list(self.languages),
            "terms": list(self.terms),
            "anything": self.anything,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "limit": self.limit,
            "base": self.base,
        }
        return {key: value for key, value in given.items() if value not in (None, [], False)}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Options:
        return cls(
            languages=tuple(stored.get("languages", ())),
            terms=tuple(stored.get("terms", ())),
            anything=bool(stored.get("anything")),
            since=datetime.fromisoformat(stored["since"]) if stored.get("since") else None,
            until=datetime.fromisoformat(stored["until"]) if stored.get("until") else None,
            limit=stored.get("limit"),
            base=stored.get("base"),
        )

    def covers(self, moment: datetime | None) -> bool:
        """Whether a date is within since and until; one that is not known is."""
        if moment is None:
            return True
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)


def checked(kind: str, source: str, given: Mapping[str, Any]) -> Options:
    """The options as given by a command or a form. Raises ConfigurationError that names every mistake."""
    wrong: list[str] = []
    if kind not in KINDS:
        wrong.append(f"kind: {kind!r} is none of {', '.join(KINDS)}")
    if not source.strip():
        wrong.append("source: it has to name a file or an address")
    for key, kinds in _FITTING.items():
        if given.get(key) and kind in KINDS and kind not in kinds:
            wrong.append(f"{key}: it is for {' and '.join(kinds)}, not for {kind}")
    languages = tuple(str(tag).strip().lower() for tag in given.get("languages") or ())
    wrong += [
        f"languages: {tag!r} is no two-letter code of a language that can be told: {', '.join(language.PLAUSIBLE)}"
        for tag in languages
        if tag not in language.PLAUSIBLE
    ]
    terms = tuple(str(term).strip() for term in given.get("terms") or () if str(term).strip())
    for term in terms:
        try:
            Lexicon({"term": [term]})
        except ValueError as error:
            wrong.append(f"terms: {error}")
    if terms and given.get("anything"):
        wrong.append("terms: either name terms or take anything")
    since, until = (_moment(key, given.get(key), wrong) for key in ("since", "until"))
    if since and until and since >= until:
        wrong.append("since: it has to lie before until")
    limit = given.get("limit")
    if limit is not None and limit < 1:
        wrong.append("limit: it has to be 1 or more")
    if wrong:
        raise ConfigurationError("the backfill can't be started:\n  " + "\n  ".join(wrong))
    return Options(languages, terms, bool(given.get("anything")), since, until, limit, given.get("base") or None)


def _moment(key: str, value: Any, wrong: list[str]) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        wrong.append(f"{key}: {value!r} is no date such as 2024-10-18")
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def addresses(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The addresses in a list with their line numbers, counted from 1; without blank lines and # comments."""
    for number, line in enumerate(lines, start=1):
        address = line.strip().removeprefix("\ufeff").strip()
        if address and not address.startswith("#"):
            yield number, address


def manifest(content: bytes, source: str, base: str | None) -> list[str]:
    """The files that a manifest names: one path a line, gzip or not, as Common Crawl's warc.paths.gz has them.

    A path is taken from `base`; without one from the root of the manifest's server, or from its own folder.
    Raises ConfigurationError.
    """
    if content.startswith(b"\x1f\x8b"):
        content = _unpacked(content, source)
    try:
        lines = content.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ConfigurationError(f"{source} is neither a WARC file nor a list of them") from None
    found = []
    for number, line in addresses(lines):
        if not line.endswith((".warc", ".warc.gz")):
            raise ConfigurationError(f"{source}:{number}: {line[:80]!r} is not the path of a .warc or .warc.gz file")
        found.append(_located(line, source, base, number))
    if not found:
        raise ConfigurationError(f"{source} names no file")
    return list(dict.fromkeys(found))


def _located(line: str, source: str, base: str | None, number: int) -> str:
    if line.lower().startswith(("http://", "https://")):
        return line
    if "://" in line:
        raise ConfigurationError(
            f"{source}:{number}: {line[:80]!r} can't be read directly; list paths without the scheme and say with "
            "--base where they lie (https://data.commoncrawl.org/ for s3://commoncrawl/)"
        )
    if line.startswith("/") and base is None and "://" not in source:
        return line
    if base is None:
        parts = urlsplit(source)
        base = f"{parts.scheme}://{parts.netloc}/" if "://" in source else source.rpartition("/")[0] + "/"
    base = base if base.endswith("/") else base + "/"
    return urljoin(base, line.lstrip("/")) if "://" in base else base + line.lstrip("/")


def _unpacked(content: bytes, source: str) -> bytes:
    decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        unpacked = decoder.decompress(content, MAX_MANIFEST)
        if not decoder.eof:
            raise ConfigurationError(
                f"{source} is cut off, or no list of files: unpacked it is over {MAX_MANIFEST} bytes"
            )
    except zlib.error as error:
        raise ConfigurationError(f"{source} can't be unpacked: {error}") from error
    return unpacked
