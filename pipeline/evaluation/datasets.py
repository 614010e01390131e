"""Labelled sets in one shape, with their splits.

newsroom   the sample articles, or any file of articles in their form, one item a paragraph (labels are per
           paragraph): dev before 2025, test after
stream     real feed items with labels.jsonl beside; train, validation and test by date
reports    short real reports; no splits: what is trained on them is measured by cross-validation over time
Any folder with items.jsonl(.gz) and labels.jsonl in the stream's form works too.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigurationError
from pipeline.evaluation.score import TextItem
from pipeline.logic.text import clean


@dataclass(frozen=True)
class Labelled:
    """`direct` is {item id: {claim: stance}}; pairs in `left_out` count neither way. Other pairs are negative."""

    name: str
    split: str
    items: list[TextItem]
    direct: dict[str | int, dict[str, str]]
    left_out: dict[str | int, frozenset[str]] = field(default_factory=dict)


def load(path: Path, split: str) -> Labelled:
    """The items of one split, `all` for the whole. Raises ConfigurationError where the folder is not of that form."""
    if path.is_file() or (path / "articles.jsonl").exists():
        return _newsroom(path, split)
    items_file = next((f for f in (path / "items.jsonl.gz", path / "items.jsonl") if f.exists()), None)
    labels_file = path / "labels.jsonl"
    if items_file is None or not labels_file.exists():
        raise ConfigurationError(f"{path} holds no labelled set: items.jsonl(.gz) and labels.jsonl, or articles.jsonl")
    items = [_item(raw) for raw in _lines(items_file)]
    labels = {raw["id"]: raw for raw in _lines(labels_file)}
    bounds = _bounds(items, labels)
    if split != "all":
        if bounds and split not in bounds:
            raise ConfigurationError(f"{path} has no split {split!r}; it has {', '.join(bounds)}")
        if bounds:
            items = [item for item in items if _split_of(item, labels, bounds) == split]
    ids = {item.id for item in items}
    direct = {i: raw["direct"] for i, raw in labels.items() if i in ids and raw["direct"]}
    left_out = {i: frozenset(raw["related"]) for i, raw in labels.items() if i in ids and raw["related"]}
    return Labelled(path.name, split, items, direct, left_out)


def _newsroom(path: Path, split: str) -> Labelled:
    items: list[TextItem] = []
    direct: dict[str | int, dict[str, str]] = {}
    for article in _lines(path if path.is_file() else path / "articles.jsonl"):
        if split != "all" and (article["published"] < "2025") != (split == "dev"):
            continue
        if article.get("syndicated_from") or article.get("edited_from"):
            continue  # a copy would count its original twice
        whole = "\n".join([article["title"], *article["paragraphs"]])
        for number, text in enumerate(article["paragraphs"]):
            key = f"{article['id']}#{number}"
            title, published, lang = clean(article["title"]), article["published"], article["lang"]
            items.append(TextItem(key, title, text, published, None, lang, title_is_context=True, article=whole))
            found = {label["claim"]: label["stance"] for label in article["labels"] if label["paragraph"] == number}
            if found:
                direct[key] = found
    return Labelled(path.stem, split, items, direct)


def _item(raw: dict[str, Any]) -> TextItem:
    text = raw.get("text", raw.get("summary")) or ""
    published, source, lang, url = (raw.get(key) for key in ("published", "source", "lang", "url"))
    title, is_context = clean(raw.get("title") or ""), bool(raw.get("title_is_context"))
    return TextItem(raw["id"], title, text, published, source, lang, url, is_context)


def _lines(file: Path) -> list[dict[str, Any]]:
    content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
    return [json.loads(line) for line in content.decode().split("\n") if line.strip()]


def _bounds(items: list[TextItem], labels: dict[str | int, dict[str, Any]]) -> dict[str, datetime]:
    """The first labelled moment of each split; items between belong to the split that began last."""
    bounds: dict[str, datetime] = {}
    for item in items:
        split = labels.get(item.id, {}).get("split")
        if split and item.published:
            when = _when(item)
            bounds[split] = min(when, bounds.get(split, when))
    return dict(sorted(bounds.items(), key=lambda pair: pair[1]))


def _split_of(item: TextItem, labels: dict[str | int, dict[str, Any]], bounds: dict[str, datetime]) -> str:
    labelled = labels.get(item.id, {}).get("split")
    if labelled:
        return str(labelled)
    when = _when(item)
    current = next(iter(bounds))
    for split, begins in bounds.items():
        if when >= begins:
            current = split
    return current


def _when(item: TextItem) -> datetime:
    when = datetime.fromisoformat(item.published or "1970-01-01")
    return when if when.tzinfo else when.replace(tzinfo=UTC)
