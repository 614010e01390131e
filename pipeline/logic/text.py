"""Plain text as the product keeps it: cleaned, cut into paragraphs and sentences, hashed."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from itertools import pairwise

from pipeline.logic.markup import too_many_attributes

LONG_PARAGRAPH = 2000  # characters; more than an encoder reads at once, so longer ones are split

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
# Controls (but tab, newline and two that act as spaces), soft hyphen, zero-width and direction marks, BOM.
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_SPACES = re.compile(r"[^\S\n]+")
_AROUND_NEWLINE = re.compile(r" ?\n[ \n]*")

_BLOCK_TAGS = (
    "address article aside blockquote body br center dd details dialog div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol option p pre section "
    "summary table tbody tfoot thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_SILENT_TAGS = "head noscript script style svg template title"
_SILENT = frozenset(_SILENT_TAGS.split())
_INLINE_TAGS = (
    "a abbr acronym audio b bdi bdo big cite code del dfn em embed font i iframe img ins kbd mark object picture q s "
    "samp small source span strike strong sub sup td th time tt u var video wbr"
)
_KNOWN = frozenset(_INLINE_TAGS.split()) | _BLOCKS | _SILENT
_TAG_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
# One whole tag, quoted values that may hold ">" included; never backtracks.
_WHOLE_TAG = re.compile(r"""<(/?)([a-zA-Z][a-zA-Z0-9:]*+)(?:[^<>"']++|"[^"]*+"|'[^']*+')*+>""")
_OPEN_COMMENT = re.compile(r"<!--[^>]*>?")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_SPACE_REFERENCE = re.compile(r"&#(?:x0*[9acd]|0*(?:9|10|12|13));?|&(?:Tab|NewLine);", re.IGNORECASE)
_TAG = re.compile(r"<[a-zA-Z/!?]")
_ANY_TAG = re.compile(r"<[^<>]*>")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def clean(text: str) -> str:
    """NFC; no controls, zero-width characters or lone surrogates; one space between words, one newline
    between lines, none at the ends. Idempotent; PostgreSQL accepts whatever comes out.
    """
    if text.isprintable():  # no controls, no white space but the space, nothing without width
        return _clean_row(text)
    rows = text.split("\n")
    if all(map(str.isprintable, rows)):
        return "\n".join(filter(None, map(_clean_row, rows)))
    if _SURROGATE.search(text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins pairs, too
    text = _DROPPED.sub("", _LINE_ENDS.sub("\n", text))
    text = _SPACES.sub(" ", unicodedata.normalize("NFC", text))
    return _AROUND_NEWLINE.sub("\n", text).strip()


def _clean_row(row: str) -> str:
    row = unicodedata.normalize("NFC", row)
    return row.strip(" ") if "  " not in row else " ".join(row.split())


def line(text: str) -> str:
    """`clean`, on one line: for titles and names."""
    return clean(text).replace("\n", " ")


def strip_html(fragment: str) -> str:
    """The text of an HTML fragment: entities decoded, block tags as newlines, scripts and styles dropped."""
    if "<![CDATA[" in fragment:  # wrapped twice
        fragment = _CDATA.sub("", fragment)
    if "<!--" in fragment:
        fragment = _without_comments(fragment)
    if not _TAG.search(fragment):
        return clean(html.unescape(fragment) if "&" in fragment else fragment)
    simple = _simple_text(fragment)
    return _parsed_text(fragment) if simple is None else simple


def _without_comments(fragment: str) -> str:
    """A comment that is never closed ends with its own bracket: it must not take the rest of the text along."""
    kept, at = [], 0
    while (begin := fragment.find("<!--", at)) >= 0:
        end = fragment.find("-->", begin + 2)
        if end < 0:
            break
        kept.append(fragment[at:begin])
        at = end + 3
    return "".join(kept) + _OPEN_COMMENT.sub("", fragment[at:])


def plain(value: str) -> str:
    """The text of a field that is declared to be plain. Whole tags in it are markup all the same, of a writer who
    declared it wrongly; a word in angle brackets that HTML has no tag for is text.
    """
    if "<![CDATA[" in value:
        value = _CDATA.sub("", value)
    if "<!--" in value or any(name.lower() in _KNOWN for name in _TAG_NAME.findall(value)):
        return strip_html(value)
    return clean(html.unescape(value) if "&" in value else value)


def _simple_text(fragment: str) -> str | None:
    """What `_parsed_text` gives, twenty times as fast, for tags without anything to leave out; None for others."""
    if _SPACE_REFERENCE.search(fragment):
        return None
    silent = False

    def read(tag: re.Match[str]) -> str:
        nonlocal silent
        name = tag.group(2).lower()
        silent = silent or name in _SILENT
        if name in ("td", "th"):
            return " "
        return "\n" if name in _BLOCKS else ""

    shown = _WHOLE_TAG.sub(read, " ".join(fragment.split()))
    if silent or _TAG.search(shown):
        return None
    return clean(html.unescape(shown) if "&" in shown else shown)


def _parsed_text(fragment: str) -> str:
    from lxml import etree  # type: ignore[import-untyped,unused-ignore]
    from lxml import html as lxml_html  # type: ignore[import-untyped,unused-ignore]

    source = _NO_XML.sub("", _SURROGATE.sub("\ufffd", fragment))
    if too_many_attributes(source):
        return clean(html.unescape(_ANY_TAG.sub(" ", source)))
    try:
        parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = lxml_html.document_fromstring(source.encode(), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return clean(html.unescape(_ANY_TAG.sub(" ", source)))
    parts: list[str] = []
    silent: object = None  # the outermost element whose text is not shown
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag in _BLOCKS and silent is None:
            parts.append("\n")
        if event == "start":
            if silent is None and tag in _SILENT:
                silent = element
            if silent is None:
                parts.append(re.sub(r"\s+", " ", element.text or ""))
        else:
            if silent is element:
                silent = None
            if silent is None:
                parts.append(" " if tag in ("td", "th") else "")
                parts.append(re.sub(r"\s+", " ", element.tail or ""))
    return clean("".join(parts))


def content_hash(text: str) -> bytes:
    """SHA-256 of the clean text, white space collapsed, case kept: the identity of a paragraph (32 bytes)."""
    return hashlib.sha256(" ".join(clean(text).split()).encode()).digest()


def paragraphs(text: str) -> tuple[str, ...]:
    """The lines of `text`, cleaned, no empty ones; those over LONG_PARAGRAPH are split at sentence ends."""
    return tuple(part for row in clean(text).split("\n") if row for part in _split_long(row))


def _split_long(row: str) -> list[str]:
    if len(row) <= LONG_PARAGRAPH:
        return [row]
    parts, begin, end = [], 0, 0
    for start, stop in _pieces(row):
        if stop - begin > LONG_PARAGRAPH and end > begin:
            parts.append(row[begin:end].strip())
            begin = start
        end = stop
    parts.append(row[begin:].strip())
    return [part for part in parts if part]


def _pieces(row: str) -> list[tuple[int, int]]:
    """Sentences, those beyond the limit cut again at spaces and, where there are none, anywhere."""
    pieces = []
    for start, stop in sentences(row):
        at = start
        while stop - at > LONG_PARAGRAPH:
            cut = row.rfind(" ", at + 1, at + LONG_PARAGRAPH)
            cut = cut if cut > 0 else at + LONG_PARAGRAPH
            pieces.append((at, cut))
            at = cut
        pieces.append((at, stop))
    return pieces


_CLOSERS = "\"'”’»›)\\]}」』）】〉》"
# A full stop ends a sentence before white space; its East Asian forms, and 다. before Hangul, do without.
_CLOSING = rf"(?:[{_CLOSERS}]|[ \u00a0\u202f]»)*"  # French puts a space before »
_END = re.compile(rf"[.!?…]+{_CLOSING}(?=\s|\Z)|[。！？｡]+[{_CLOSERS}]*|(?<=[다요])\.[{_CLOSERS}]*(?=[가-힣])|\n")
_NEXT_WORD = re.compile(r"[\s\"'“‘«‹(\[{「『（【〈《–—-]*(\w*)")
_LAST_WORD = re.compile(r"[^\s\"'“‘«‹(\[{「『（]+$")
# Words after which a full stop seldom ends a sentence (lower case, without the final stop).
_ABBREVIATED = (
    "mr mrs ms dr prof sr jr st gen lt col maj sgt capt cmdr adm brig gov sen rep rev hon pres vs no nos "
    "fig vol approx dept est jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e cf al p pp m mm mlle "
    "mme me pr av bd p.ex env г гг т тт тыс млн млрд трлн руб ул им д стр см ст рис гл ген полк подп кап "
    "лейт акад проф тов гр п пп т.н т.е м вул буд грн рр ред напр обл р"
)
_ABBREVIATIONS = frozenset(_ABBREVIATED.split())
# Ends of sentences all the same when the next word begins a new one: "in the U.S. The minister ..."
_STARTING = (
    "The This That These Those It He She They We I In On At But And However After Before Since When While "
    "As If A An Его Это Они Он Она Мы В На По Но И Il Elle Ils Elles Le La Les Un Une Ce Cette Mais"
)
_STARTERS = frozenset(_STARTING.split())


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`, in order, trimmed; what lies between them is white space only.

    Rules, not a model, for en, fr, ko, ru, uk, ja and zh: a stop after a known abbreviation, an initial or
    inside a number does not end a sentence, nor does one before a lower-case word. A newline always does.
    """
    ends = [0, *(m.end() for m in _END.finditer(text) if _is_end(text, m)), len(text)]
    spans = []
    for begin, end in pairwise(ends):
        part = text[begin:end]
        stripped = part.strip()
        if stripped:
            start = begin + len(part) - len(part.lstrip())
            spans.append((start, start + len(stripped)))
    return spans


def _is_end(text: str, match: re.Match[str]) -> bool:
    mark = match.group()
    if mark[0] in "\n。！？｡":
        return True
    following = _NEXT_WORD.match(text, match.end())
    word = following.group(1) if following else ""
    if word[:1].islower():
        return False
    if mark[0] != "." or mark.startswith(".."):
        return True
    before = _LAST_WORD.search(text, max(0, match.start() - 40), match.start())
    last = before.group() if before else ""
    initials = re.fullmatch(r"(?:\w\.)*[^\W\d_]", last) is not None and last[:1].isupper()
    if initials:  # an initial ("J. Smith") or letters with stops ("U.S."): only the latter may end a sentence
        return "." in last and word in _STARTERS
    return last.lower() not in _ABBREVIATIONS
