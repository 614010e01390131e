"""A folder of feeds, well and badly made: what becomes of each file, and how far the readers agree with what it says.

Three kinds of expectation: those that feedparser's files carry in their comments (feed_expectations.py), what a
JSON Feed says by its own specification, and, for other XML, the items that a plain XML reader counts.
"""

from __future__ import annotations

import io
import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from pipeline.errors import PermanentError
from pipeline.evaluation import feed_expectations as expectations
from pipeline.logic import charsets, entries, feeds, text, xmlfeeds
from pipeline.model import ParsedFeed

SERVER = "http://127.0.0.1:8097"  # the address that feedparser's expectations name
# Expectations that the product does not follow on purpose: both readers are counted without them.
BY_DECISION = {
    "_crazy.xml": "a script's code is no text of an article",
    "item_content_encoded_script_nested_cdata.xml": "marks of CDATA are no text",
}


@dataclass(frozen=True)
class Looked:
    """One file. `ours` and `theirs` say whether the expectation held; None where there is none to compare."""

    file: str
    suite: str
    outcome: str  # ok, not-a-feed, too-large; timeout, killed and crashed come from the guard
    seconds: float
    entries: int = 0
    problem: str | None = None
    ours: bool | None = None
    theirs: bool | None = None
    not_kept: str | None = None  # the field that the expectation is about and the product has not
    expected: str | None = None


@dataclass
class Suite:
    """Counts of one folder."""

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    ours: int = 0
    theirs: int = 0
    not_kept: int = 0
    by_decision: int = 0
    slowest: float = 0.0

    def add(self, one: Looked) -> None:
        self.files += 1
        self.outcomes[one.outcome] += 1
        self.slowest = max(self.slowest, one.seconds)
        if one.not_kept in BY_DECISION.values():
            self.by_decision += 1
        elif one.not_kept:
            self.not_kept += 1
        elif one.ours is not None:
            self.compared += 1
            self.ours += one.ours
            self.theirs += bool(one.theirs)


def files(folder: Path) -> list[tuple[str, str]]:
    """(folder, file) of everything in the corpus but licences, in a fixed order: what `look` is called with."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "LICENSE")
    return [(str(folder), path.relative_to(folder).as_posix()) for path in found]


def suite_of(file: str) -> str:
    parts = file.split("/")[:-1]
    return "/".join(parts[1:3] if parts[0] == "feedparser" and len(parts) > 1 else parts[:1])


def summary(looked: Iterable[Looked]) -> dict[str, Suite]:
    suites: dict[str, Suite] = {}
    for one in looked:
        suites.setdefault(one.suite, Suite()).add(one)
    return dict(sorted(suites.items()))


def look(given: tuple[str, str]) -> Looked:
    """Read one file as the product does, and compare."""
    folder, file = given
    body = (Path(folder) / file).read_bytes()
    case = expectations.read(body) if file.startswith("feedparser/") else None
    headers = case.headers if case else {}
    address = f"{SERVER}/tests/{file.partition('/')[2]}"
    location = urljoin(address, headers.get("content-location", ""))
    url = location if entries.absolute(location) else address
    begun = time.perf_counter()
    ours: ParsedFeed | None = None
    outcome, problem = "ok", None
    try:
        ours = feeds.parse(body, headers.get("content-type"), url, headers.get("content-language"))
        problem = ours.problem
    except PermanentError as error:
        outcome, problem = error.code, str(error)
    about: dict[str, Any] = {"file": file, "suite": suite_of(file), "outcome": outcome, "problem": problem}
    about["seconds"] = time.perf_counter() - begun
    about["entries"] = len(ours.entries) if ours else 0
    if case is not None:
        served = {"content-type": "application/xml", **headers, "content-location": url}
        about |= _compare(file, case, ours, url, _feedparser(body, served))
    elif file.endswith(".json"):
        about |= _compare_json(body, ours, url)
    elif not file.startswith("opml/"):
        about |= _compare_items(body, ours)
    return Looked(**about)


def _feedparser(body: bytes, headers: dict[str, str]) -> Any:
    import feedparser

    return feedparser.parse(io.BytesIO(body), response_headers=headers)


def _compare(file: str, case: expectations.Case, ours: ParsedFeed | None, url: str, parsed: Any) -> dict[str, Any]:
    for ending, why in BY_DECISION.items():
        if file.endswith(ending):
            return {"not_kept": why, "expected": case.expected}
    label_alone = bool(parsed.bozo) and type(parsed.bozo_exception).__name__ in xmlfeeds.HARMLESS
    try:
        held = expectations.holds(case, expectations.Ours(ours, url, unmentioned=label_alone))
    except expectations.NotKept as field_name:
        return {"not_kept": str(field_name), "expected": case.expected}
    except expectations.Unreadable as part:
        return {"not_kept": f"not read: {part}", "expected": case.expected}
    return {"ours": held, "theirs": expectations.holds(case, parsed), "expected": case.expected}


def _compare_json(body: bytes, ours: ParsedFeed | None, url: str) -> dict[str, Any]:
    """A JSON Feed says itself what should come out of it."""
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    if not isinstance(said, dict) or "jsonfeed.org" not in str(said.get("version")):
        return {}
    items = [item for item in said["items"] if isinstance(item, dict)]
    held = ours is not None and len(ours.entries) == len(items) and ours.title == _str(said.get("title"))
    for item, entry in zip(items, ours.entries if ours else (), strict=False):
        held = held and entry.key == str(item["id"]) and entry.title == _str(item.get("title"))
        held = held and entry.url == entries.link(item.get("url"), _str(said.get("home_page_url")) or url)
        held = held and entry.published == (_moment(item.get("date_published")) or _moment(item.get("date_modified")))
        texts = {_str(item.get("summary")), text.strip_html(_str(item.get("content_html"))), ""}
        held = held and {entry.summary, entry.content} <= texts | {_str(item.get("content_text"))}
    theirs = _feedparser(body, {"content-type": "application/feed+json"})
    return {"ours": held, "theirs": bool(items) and len(theirs.entries) == len(items), "expected": "its own items"}


def _str(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else None
    except ValueError:
        return None


def _compare_items(body: bytes, ours: ParsedFeed | None) -> dict[str, Any]:
    """Titles of the items as a plain XML reader sees them, where it can read the file at all."""
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]

    try:
        reader = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True)
        source = charsets.decode(body)
        root = None if "\ufffd" in source else etree.fromstring(source.lstrip().encode(), reader)
    except etree.XMLSyntaxError:
        return {}
    if root is None or str(root.tag).rpartition("}")[2].lower() not in ("rss", "feed", "rdf"):
        return {}
    wanted = []
    for element in root.iter("{*}item", "{*}entry"):
        title = next(iter(element.findall("{*}title")), None)
        wanted.append(" ".join(text.plain("".join(title.itertext()) if title is not None else "").split()))
    parsed = _feedparser(body, {"content-type": "application/xml"})
    theirs = [" ".join(text.plain(item.get("title", "")).split()) for item in parsed.entries]
    held = ours is not None and [entry.title for entry in ours.entries] == wanted
    return {"ours": held, "theirs": theirs == wanted, "expected": "the items' titles"}
