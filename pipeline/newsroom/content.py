"""The sample outlets and articles as they stand at a moment.

An article is one URL. Its text may have been edited: a later version shares the URL and the time of
publication with the first and replaces it from its own time on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Outlet:
    """One publisher's site. `host` has no port; `language` is the main one of `languages` (ISO 639-1)."""

    slug: str
    name: str
    country: str
    timezone: str
    language: str
    languages: tuple[str, ...]
    kind: str
    family: str
    feed_format: str
    host: str
    feed_path: str

    @property
    def base_url(self) -> str:
        return f"http://{self.host}"

    @property
    def feed_url(self) -> str:
        return self.base_url + self.feed_path

    def metadata(self) -> dict[str, str]:
        """What a catalogue of feeds says about this outlet."""
        return {
            "name": self.name,
            "family": self.family,
            "country": self.country,
            "language": self.language,
            "kind": self.kind,
        }


@dataclass(frozen=True)
class Version:
    """One text of an article, valid from `since` on (the time of publication for the first)."""

    id: str
    language: str
    title: str
    byline: str
    paragraphs: tuple[str, ...]
    since: datetime


@dataclass(frozen=True)
class Article:
    """One URL of an outlet. `versions` are in order of time and never empty."""

    outlet: Outlet
    path: str
    published: datetime
    versions: tuple[Version, ...]

    @property
    def id(self) -> str:
        """The first version's id: it stays when the text is edited."""
        return self.versions[0].id

    @property
    def url(self) -> str:
        return self.outlet.base_url + self.path

    @property
    def section(self) -> str:
        return self.path.split("/")[1]

    def at(self, now: datetime) -> Shown | None:
        """What a reader sees at `now`; None before publication."""
        valid = [version for version in self.versions if version.since <= now]
        return Shown(self, valid[-1]) if valid else None


@dataclass(frozen=True)
class Shown:
    """An article in the version valid at some moment."""

    article: Article
    version: Version

    @property
    def edited(self) -> bool:
        return self.version is not self.article.versions[0]

    @property
    def updated(self) -> datetime:
        """Time of the last change: of publication until there is an edit."""
        return self.version.since


@dataclass(frozen=True)
class Content:
    """All outlets and articles, in order of publication."""

    outlets: tuple[Outlet, ...]
    articles: tuple[Article, ...]

    def visible(self, now: datetime, outlet: Outlet | None = None) -> list[Shown]:
        """Articles published at or before `now` (of one outlet, if given), the newest first."""
        wanted = (a for a in self.articles if outlet is None or a.outlet == outlet)
        shown = [item for article in wanted if (item := article.at(now))]
        return sorted(shown, key=lambda item: item.article.published, reverse=True)

    def sections(self, outlet: Outlet) -> list[str]:
        """First path segments of an outlet's articles; they don't depend on the time, as a menu wouldn't."""
        return list(dict.fromkeys(a.section for a in self.articles if a.outlet == outlet))


BROKEN = Outlet(
    slug="broken-quill",
    name="The Broken Quill",
    country="IE",
    timezone="Europe/Dublin",
    language="en",
    languages=("en",),
    kind="newspaper",
    family="Broken Quill Press",
    feed_format="rss2",
    host="brokenquill.example",
    feed_path="/feed.xml",
)
"""An outlet whose server is out of order: known, without articles, its feed answers 500."""


def load(folder: Path = DATA) -> Content:
    """Read `outlets.json` and `articles.jsonl` from `folder`."""
    rows = json.loads((folder / "outlets.json").read_text(encoding="utf-8"))
    outlets = {row["slug"]: _outlet(row) for row in rows}
    with (folder / "articles.jsonl").open(encoding="utf-8") as lines:
        articles = _articles([json.loads(line) for line in lines], outlets)
    return Content(tuple(outlets.values()), articles)


def feed_urls(content: Content | None = None) -> list[tuple[str, str, dict[str, str]]]:
    """(outlet name, feed URL, metadata) of every outlet, the one out of order included."""
    outlets = (*(content or load()).outlets, BROKEN)
    return [(outlet.name, outlet.feed_url, outlet.metadata()) for outlet in outlets]


def _outlet(row: Mapping[str, Any]) -> Outlet:
    return Outlet(
        slug=row["slug"],
        name=row["name"],
        country=row["country"],
        timezone=row["timezone"],
        language=row["language"],
        languages=tuple(row["languages"]),
        kind=row["kind"],
        family=row["publisher_family"],
        feed_format=row["feed_format"],
        host=urlsplit(row["base_url"]).netloc,
        feed_path=row["feed_path"],
    )


def _articles(rows: Iterable[Mapping[str, Any]], outlets: Mapping[str, Outlet]) -> tuple[Article, ...]:
    """Group rows into articles by outlet and path; the row without `edited_from` is the first version."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["outlet"], row["url_path"]), []).append(row)
    articles = [
        Article(
            outlet=outlets[slug],
            path=path,
            published=datetime.fromisoformat(group[0]["published"]),
            versions=tuple(sorted((_version(row) for row in group), key=lambda v: v.since)),
        )
        for (slug, path), group in groups.items()
    ]
    return tuple(sorted(articles, key=lambda article: article.published))


def _version(row: Mapping[str, Any]) -> Version:
    return Version(
        id=row["id"],
        language=row["lang"],
        title=row["title"],
        byline=row["byline"],
        paragraphs=tuple(row["paragraphs"]),
        since=datetime.fromisoformat(row["edited_at"] or row["published"]),
    )
