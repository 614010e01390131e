"""Names on a page: titles without the site's, authors out of bylines, the dateline that a text begins with."""

# ruff: noqa: E501 (a pattern of each language on a line of its own)

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from pipeline.logic import pagewords as words
from pipeline.logic import text

MAX_AUTHORS = 12

_NAME_SEPARATOR = re.compile(r"\s*(?:[;,、|/·•]|\s(?:and|und|et|y|и|та|і|with|with reporting by)\s|\s&\s)\s*")
_ROLE = re.compile(
    r"(?:(?:staff|news|senior|chief|special|contributing|political|world|foreign|diplomatic) )*"
    r"(?:writers?|reporters?|editors?|correspondents?|staff|reports?|editorial|contributors?|admin|administrator|bureau|newsroom"
    r"|news ?desk|desk|team|guest|author|redaction|la rédaction|rédaction|редакция|редакція|編集部|본지|편집국|온라인뉴스팀|뉴스팀|记者|記者)"
    r"(?: of .*)?|(?:\S+ ){2,}(?:writer|reporter|editor|correspondent)|.*\b(?:staff|bureau|newsroom|desk|editor-at-large)",
    re.IGNORECASE,
)
_CALENDAR = re.compile(
    r"\b(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|june|july|august|september|october|november"
    r"|december)\b",
    re.IGNORECASE,
)
_AROUND_NAME = re.compile(
    r"^(?:(?:analysis |opinion |story |text |words |photos? |edited )?by|par|from|автор:?|текст:?|[文글]\s*[:=：]|作者[:：]|记者|記者|撰文[:：]?)\s+"
    r"|^(?:记者|記者|作者[:：])|\s*(?:선임|전문|인턴|객원|수습)?기자$|\s*(?:특파원|논설위원|통신원|편집위원|앵커)$|\s*(?:記者|特派員|通信員)$"
    r"|\s+(?:(?:news|staff|senior|chief) )?(?:reporter|correspondent|editor|associated press|staff writer)$",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"[(<\[]?\s*[\w.+-]+@[\w.-]+\.\w+\s*[)>\]]?|https?://\S+|(?<!\w)@\w+")
_SUFFIX = re.compile(r"\s+(?:[|–—•»·:\-]|::|>>)\s+|\s*[|｜]\s*")

# Where and by whom, before the text: "SEOUL, Oct 18 (Agency) -", (서울=통신), МОСКВА, 18 октября. /АГЕНТСТВО/, 【ソウル共同】.
_DATELINES = tuple(
    re.compile(pattern)
    for pattern in (
        r"[A-ZÀ-Þ][A-ZÀ-Þ.'’\- ]{2,30}(?:, [A-Z][\w. ]{1,25})?(?:, \w{3,9}\.? \d{1,2}(?:, \d{4})?)?"
        r"\s*(?:\([^()]{2,30}\)\s*[-–—]{1,2}|[-–—]{1,2})(?=\s)",
        r"[A-ZÀ-Þ][\w.'’\- ]{2,30}(?:, \d{1,2} \w{3,9}\.?| \(?\w{3,9}\.? \d{1,2}\)?)?\s*\([A-Z][^()]{1,28}\)\s*[-–—]{1,2}(?=\s)",
        r"[(\[【][가-힣·\s]{2,14}=[^()\[\]【】\s]{2,14}[)\]】](?:\s*[가-힣·\s]{2,20}(?:기자|특파원)\s*=)?",
        r"[А-ЯЁІЇЄҐ][А-ЯЁІЇЄҐа-яёіїєґ\- ]{2,30}[.,] \d{1,2} [а-яіїє]{3,9}\.?,?\s*(?:/[^/]{2,30}/|[-–—]{1,2}\s|[A-ZА-ЯЁІЇЄҐ.\- ]{2,20}[-–—.])\.?",
        r"[А-ЯЁІЇЄҐ][А-ЯЁІЇЄҐ\- ]{2,30}\s*(?:\([^()]{2,30}\))?\s*[-–—]{1,2}(?=\s)",
        r"【[^【】]{2,20}】|[\[［][^\[\]［］]{2,12}\s?\d{1,2}日\s?[^\[\]［］]{2,10}[\]］]\s*[-－ー—]*|（?[^（）。、\s]{1,8}[=＝](?:共同|時事|ロイター|聯合)）?",
        r"[（(]?(?:新华社|新華社|中新社|中新网|中央社|央视新闻|人民网)[^，。,（）()]{0,16}(?:\d{1,2}日)?[电電讯訊][）)]?",
    )
)


# --- title and site ---


def best_title(titles: Iterable[str], headings: list[str], site: str | None, url: str) -> str:
    """The first title that is not the site's own name, without the site's name at its ends."""
    names = {key(name) for name in (site or "", *host_names(url)) if name}
    for title in (*titles, *headings):
        found = without_site(title, names, headings)
        if found and key(found) not in names:
            return found
    return next(iter(titles), "")


def without_site(title: str, names: set[str], headings: Iterable[str] = ()) -> str:
    """`title` without " | Reuters" or "Reuters: "; a part that is no site name goes where a heading has the rest."""
    known = {key(heading) for heading in headings} - {""}
    for match in reversed(list(_SUFFIX.finditer(title))):
        rest, end = title[: match.start()], title[match.end() :]
        if rest and (_names_site(end, names) or (key(rest) in known and len(end) < 40)):
            return without_site(rest, names, headings)
    for name_end in re.finditer(r"[:|]\s+", title):
        if key(title[: name_end.start()]) in names and title[name_end.end() :]:
            return title[name_end.end() :]
    return title


def _names_site(part: str, names: set[str]) -> bool:
    said = key(part)
    return bool(said) and any(said == name or (len(name) > 3 and len(said) < 60 and name in said) for name in names)


def key(value: str) -> str:
    """Letters and digits alone, without case: for comparing names and titles."""
    return "".join(re.findall(r"\w+", value.casefold()))


def host_names(url: str) -> list[str]:
    """What a site may be called, by its address."""
    labels = [label for label in (urlsplit(url).hostname or "").split(".") if label not in ("www", "m", "amp", "news")]
    return [".".join(labels), *(label for label in labels[:-1] if len(label) > 3)]


# --- authors ---


def names_of(told: Iterable[str], site: str | None = None, url: str | None = None) -> tuple[str, ...]:
    """The people in what a page says of its authors: "By A and B, Staff writer" is A and B. No sites, no addresses."""
    sites = [key(site or ""), *map(key, host_names(url) if url else ())]
    found: dict[str, str] = {}
    for line in told:
        for part in _NAME_SEPARATOR.split(_CONTACT.sub(" ; ", text.line(text.strip_html(line))[:400])):
            name = part.strip(" .,-–—()[]<>=:·")
            for _ in range(2):
                name = _AROUND_NAME.sub("", name).strip(" .,-–—()[]<>=:")
            known = key(name)
            if known and known not in found and _is_a_name(name) and not any(s.startswith(known) for s in sites if s):
                found[known] = name.title() if name.isupper() and name.isascii() and " " in name else name
    return tuple(found.values())[:MAX_AUTHORS]


def _is_a_name(name: str) -> bool:
    return (
        2 <= len(name) <= 60
        and len(name.split()) <= 6
        and not re.search(r"\d|[@/\\{}<>]|\.(?:com|org|net|co)\b", name)
        and _ROLE.fullmatch(name) is None
        and _CALENDAR.search(name) is None
        and re.fullmatch(r"[A-Z]{1,4}", name) is None
        and not words.SENTENCE_END.search(re.sub(r"다$", "", name))
    )


def byline(line: str, authors: tuple[str, ...], site: str | None) -> tuple[str, ...] | None:
    """The names on a line that is a byline and nothing else; None where it is text.

    A name without "By" or the like has to be one of the `authors`.
    """
    if len(line) > 120 or (words.SENTENCE_END.search(_CONTACT.sub("", line).rstrip(" .)]")) and "기자" not in line):
        return None
    names = names_of([line], site)
    marked = _AROUND_NAME.search(_CONTACT.sub("", line).strip(" []()<>.·|")) is not None and len(names) <= 4
    known = {key(author) for author in authors}
    if names and all(key(name) in known for name in names):
        return names
    korean = re.fullmatch(
        r"[\[(<]?\s*(?:[가-힣]{2,10}\s?=\s?)?(?:[가-힣]{2,4}[·,\s]*){1,3}\s?(?:기자|특파원)\s*[\])>]?",
        _CONTACT.sub("", line).strip(),
    )
    if korean or (marked and names and all(_capitalised(name) for name in names)):
        return names
    return None


def _capitalised(name: str) -> bool:
    parts = [
        part
        for part in re.split(r"[\s-]", name)
        if part and part.lower() not in ("de", "van", "von", "der", "al", "la", "bin")
    ]
    return len(parts) <= 4 and all(not part[0].islower() for part in parts)


def dateline(line: str) -> str | None:
    """Place, date and agency that a text begins with; None where it begins with the text."""
    for pattern in _DATELINES:
        if match := pattern.match(line):
            return match.group().strip(" -–—ー－") or None
    return None
