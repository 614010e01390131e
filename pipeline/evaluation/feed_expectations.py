"""Expectations of feedparser's corpus, read without running them, and put to two readers.

Each file names in its first comment what should come out: `entries[0]['title'] == 'x' and not bozo`. The expression is
Python; here its syntax tree is walked by a reader that knows comparisons, look-ups and a handful of calls. It is put
to feedparser's own result as it stands, and to ours with each path led to the field that keeps it.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.logic import charsets, entries, text
from pipeline.model import ParsedEntry, ParsedFeed

_HEADER = re.compile(r"^[^\S\n]*Header:\s*([\w-]+)\s*:[^\S\n]*(.*?)[^\S\n]*$", re.MULTILINE)
_EXPECT = re.compile(r"Expect:\s*(.+?)[^\S\n]*(?:-->)?[^\S\n]*$", re.MULTILINE)
_JSON_EXPECT = re.compile(r'"__TEST__":[^\n]*?Expect:\s*(.+?)\s*-->"')


class NotKept(Exception):
    """The expectation is about something that the product has no field for."""


class Unreadable(Exception):
    """The expectation uses a part of Python that is not read here."""


@dataclass(frozen=True)
class Case:
    """What a file's comment says: the expression, and the HTTP headers that it is to be served with."""

    expected: str
    headers: dict[str, str]


def read(body: bytes) -> Case | None:
    """The expectation of a file; None where it has none."""
    source = _opened(body)
    found = _JSON_EXPECT.search(source) or _EXPECT.search(source)
    if found is None:
        return None
    return Case(found.group(1), {name.lower(): value for name, value in _HEADER.findall(source)})


def _opened(body: bytes) -> str:
    if body[:4].count(0):
        for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
            decoded = body.decode(encoding, "replace")
            if "Expect:" in decoded:
                return decoded
    return charsets.decode(body)


def holds(case: Case, value: Any) -> bool:
    """Whether the expectation holds for feedparser's result or, as Ours, for the product's."""
    try:
        tree = ast.parse(case.expected.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise Unreadable(str(error)) from error
    try:
        return bool(_Reader(value).value(tree.body))
    except (KeyError, IndexError, TypeError, AttributeError):
        return False


_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


class _Reader:
    """Values of the expression's nodes. `root` answers names: bozo, feed, entries, version, encoding ..."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def value(self, node: ast.expr) -> Any:
        method = getattr(self, "_" + type(node).__name__.lower(), None)
        if method is None:
            raise Unreadable(type(node).__name__)
        return method(node)

    def _constant(self, node: ast.Constant) -> Any:
        return node.value

    def _name(self, node: ast.Name) -> Any:
        return self._root[node.id]

    def _tuple(self, node: ast.Tuple) -> Any:
        return tuple(self.value(each) for each in node.elts)

    def _list(self, node: ast.List) -> Any:
        return [self.value(each) for each in node.elts]

    def _dict(self, node: ast.Dict) -> Any:
        return {self.value(k): self.value(v) for k, v in zip(node.keys, node.values, strict=True) if k is not None}

    def _subscript(self, node: ast.Subscript) -> Any:
        return self.value(node.value)[self.value(node.slice)]

    def _attribute(self, node: ast.Attribute) -> Any:
        return self.value(node.value)[node.attr]

    def _boolop(self, node: ast.BoolOp) -> Any:
        values = [bool(self.value(each)) for each in node.values]  # all of them: each may be about what is not kept
        return all(values) if isinstance(node.op, ast.And) else any(values)

    def _unaryop(self, node: ast.UnaryOp) -> Any:
        if isinstance(node.op, ast.Not):
            return not self.value(node.operand)
        if isinstance(node.op, ast.USub):
            return -self.value(node.operand)
        raise Unreadable(type(node.op).__name__)

    def _binop(self, node: ast.BinOp) -> Any:
        if not isinstance(node.op, ast.Add):
            raise Unreadable(type(node.op).__name__)
        return self.value(node.left) + self.value(node.right)

    def _compare(self, node: ast.Compare) -> Any:
        left = self.value(node.left)
        for sign, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            compare = _COMPARE.get(type(sign))
            if compare is None:
                raise Unreadable(type(sign).__name__)
            if not compare(left, right):
                return False
            left = right
        return True

    def _call(self, node: ast.Call) -> Any:
        given = [self.value(each) for each in node.args]
        if isinstance(node.func, ast.Name):
            if node.func.id in ("len", "ord") and len(given) == 1:
                return len(given[0]) if node.func.id == "len" else ord(given[0])
            raise NotKept(node.func.id)
        if isinstance(node.func, ast.Attribute):
            holder = self.value(node.func.value)
            if node.func.attr in ("has_key", "get") and given:
                if node.func.attr == "has_key":
                    return given[0] in holder
                try:
                    return holder[given[0]]
                except KeyError:
                    return given[1] if len(given) > 1 else None
            if node.func.attr == "timedelta":
                return timedelta(*given)
        raise Unreadable(ast.unparse(node.func))


# Ours ---------------------------------------------------------------------------------------------------------


class Text(str):
    """A text of ours: equal to what says the same once markup and spaces are read as the product reads them."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return False
        readings = {text.strip_html(other), text.clean(other), text.plain(other)}
        return text.clean(self) in readings or " ".join(self.split()) in {" ".join(r.split()) for r in readings}

    def __ne__(self, other: object) -> bool:
        return not self == other


class Link(str):
    """An address of ours: equal to one that leads there, from where the feed was had."""

    __slots__ = ("base",)
    __hash__ = str.__hash__
    base: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) == (entries.link(other, self.base) or "")

    def __ne__(self, other: object) -> bool:
        return not self == other


class Date(tuple):  # type: ignore[type-arg]
    """A date of ours, in feedparser's nine numbers; equal where the first six are."""

    __hash__ = tuple.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, tuple) and tuple(self[:6]) == tuple(other[:6])

    def __ne__(self, other: object) -> bool:
        return not self == other


def _date(value: datetime | None) -> Date | None:
    return Date(value.astimezone(UTC).timetuple()) if value else None


class Ours:
    """The product's result under feedparser's names. `parsed` is None where the file was refused."""

    def __init__(self, parsed: ParsedFeed | None, url: str, *, unmentioned: bool = False) -> None:
        self._parsed, self._url, self._unmentioned = parsed, url, unmentioned

    def __getitem__(self, name: str) -> Any:
        parsed = self._parsed
        if name == "bozo":
            if self._unmentioned:  # a wrong label that did not keep the feed from being read
                raise NotKept("bozo, for a label alone")
            return parsed is None or parsed.problem is not None
        if name not in ("feed", "entries"):
            raise NotKept(name)
        if parsed is None:
            raise KeyError(name)
        if name == "feed":
            return _Feed(parsed, self._url)
        return [_Entry(entry, self._url) for entry in parsed.entries]


class _Fields:
    def __init__(self, url: str) -> None:
        self._url = url

    def _link(self, value: str | None) -> Link | None:
        if value is None:
            return None
        address = Link(value)
        address.base = self._url
        return address

    def __contains__(self, name: object) -> bool:
        return self[str(name)] not in (None, "")

    def __getitem__(self, name: str) -> Any:
        raise NotKept(name)


class _Feed(_Fields):
    def __init__(self, parsed: ParsedFeed, url: str) -> None:
        super().__init__(url)
        self._parsed = parsed

    def __getitem__(self, name: str) -> Any:
        parsed = self._parsed
        if name == "title":
            return Text(parsed.title)
        if name == "title_detail":
            return _Only(value=Text(parsed.title))
        if name == "link":
            return self._link(parsed.site_url)
        if name == "language":
            return _Language(parsed.language) if parsed.language else None
        if name == "ttl":
            return str(int(parsed.ttl.total_seconds() // 60)) if parsed.ttl else None
        raise NotKept(f"feed.{name}")


class _Language(str):
    """The primary part of a language tag: the product keeps no region."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) == entries.language_tag(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class _Only:
    """A detail of which some parts are kept."""

    def __init__(self, **kept: Any) -> None:
        self._kept = kept

    def __getitem__(self, name: object) -> Any:
        if name not in self._kept:
            raise NotKept(str(name))
        return self._kept[str(name)]


class _Among(str):
    """Names joined: equal to each of them."""

    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and other in str(self)

    def __ne__(self, other: object) -> bool:
        return not self == other


class _Entry(_Fields):
    def __init__(self, entry: ParsedEntry, url: str) -> None:
        super().__init__(url)
        self._entry = entry

    def __getitem__(self, name: str) -> Any:
        entry = self._entry
        language = _Language(entry.language) if entry.language else None
        title, author = Text(entry.title), Text(entry.author) if entry.author else None
        shown = Text(entry.summary or entry.content)
        source = Text(entry.source) if entry.source else None
        kept: dict[str, Any] = {
            "title": title,
            "title_detail": _Only(value=title),
            "summary": shown,
            "summary_detail": _Only(value=shown, language=language),
            "content": [_Only(value=Text(entry.content or entry.summary), language=language)],
            "link": self._link(entry.url),
            "id": Text(entry.key),
            "author": author,
            "author_detail": _Only(name=_Among(entry.author or "")),
            "source": _Only(title=source, link=self._link(entry.source_url)),
            "publisher": source,
            "published_parsed": _date(entry.published),
            "language": language,
        }
        if not shown:  # the product keeps one language an entry: that of its text
            kept["title_detail"] = _Only(value=title, language=language)
        same = {"description": "summary", "guid": "id", "updated_parsed": "published_parsed"}
        same["created_parsed"] = "published_parsed"
        if (name := same.get(name, name)) not in kept:
            raise NotKept(f"entries[].{name}")
        return kept[name]
