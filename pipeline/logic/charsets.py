"""Which charset a body is in: by its marks and bytes, by what it says of itself, and by the letters that come out.

Labels are often wrong and often missing. What decides in the end is how a text of the language looks: the letters that
are frequent in it have to be frequent in what was decoded.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

DAMAGED = 0.05  # share of its letters that a text may have lost (cut off, stray bytes) and still be of a charset
MOSTLY = 0.4  # the same for UTF-8 that nobody contradicts: other charsets hardly ever make its sequences
ENOUGH = 4  # letters that can tell a language
SAMPLE = 200_000  # bytes looked at where the letters have to tell
_LIKELY = 0.5  # how much of the frequent letters' usual share a guess has to show
_FOREIGN = re.compile(rb"[\x80-\xff]")
_RUN = re.compile(rb"[\x80-\xff]{3,}")

_ALIASES = {  # what the label says and what browsers read
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = (  # how "<?", "<h" and the like begin without a mark
    (re.compile(rb"<\0\0\0[^\0]\0"), "utf-32-le"),
    (re.compile(rb"\0\0\0<\0\0"), "utf-32-be"),
    (re.compile(rb"<\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0<\0[^\0]"), "utf-16-be"),
)
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML_ENCODING = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)


@dataclass(frozen=True)
class _Script:
    """The letters that make up `share` of the foreign ones in ordinary text of a language."""

    encodings: tuple[str, ...]
    letters: frozenset[str]
    share: float


_SCRIPTS = (
    _Script(
        ("cp949",),
        frozenset(
            "이다의는에을가한고하지로기를은도서사어대자인정보일리시해수아으그들부전나제라여있과위상국주만무장원미스조안구적니공오"
            "관었동면성게중신회던까거러방소할당했세선연경진우와용말않개간결내문년모비습입트치파군북남"
        ),
        0.7,
    ),
    _Script(
        ("cp932", "euc_jp"),
        frozenset("のにはをたがでとしてれさるいるなかもらりっこすまあきくよンーイトスルラリアドシフ、。"),
        0.5,
    ),
    _Script(
        ("gb18030",),
        frozenset(
            "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事"
            "成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心本前开但因只从想实日军者无力与长把机十民第公此已工使情"
            "明性全三关点正业外将两高间由问最重并物手应战向头文体政美相见被利二等产或新己制身加西斯月话合回特代内信表化，。、“”"
        ),
        0.6,
    ),
    _Script(
        ("big5hkscs",),
        frozenset(
            "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作用道行所然家種事成"
            "方多經去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日軍者無力與長把機十民第公此已工使情明"
            "性全三關點正業外將兩高間由問最重並物手應戰向頭文體政美相見被利二等產或新己制身加西斯月話合回特代內信表化，。、「」"
        ),
        0.6,
    ),
    _Script(("cp1251", "koi8_u", "iso8859-5", "cp866"), frozenset("оеаинтсрвлкмдпуяіь«»—"), 0.85),
    _Script(("cp1252",), frozenset("éèàêçîôùâûïëöäüßñóíáåøæã«»“”‘’–—…•œ©®°\xa0€£"), 0.9),
)  # fmt: skip


def decode(body: bytes, content_type: str | None = None) -> str:
    """Text of a body. Never fails: bytes that no charset explains become U+FFFD.

    In turn: a byte-order mark; UTF-8 that fits, or nearly so; header, XML declaration and <meta>, where they fit; the
    letters. UTF-8 comes before the labels because text that is valid UTF-8 and not ASCII is hardly ever anything else.
    """
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    return body.decode(charset(body, content_type), "replace")


def charset(body: bytes, content_type: str | None = None) -> str:
    """Python's name of the charset of a body without a byte-order mark."""
    wide = next((encoding for pattern, encoding in _WIDE if pattern.match(body)), None)
    if wide is not None:
        return wide
    named = labels(body, content_type)
    # What servers say where nobody told them, and any bytes fit it: other names and the letters come first.
    telling = [encoding for encoding in named if encoding != "cp1252"]
    stateful = [encoding for encoding in named if encoding.startswith("iso2022")]  # pure ASCII bytes
    tried = [*((encoding, 0.0) for encoding in [*stateful, "utf-8"]), ("utf-8", DAMAGED)]
    tried += [*((encoding, 0.0) for encoding in telling), *((encoding, DAMAGED) for encoding in telling)]
    for encoding, most in [*tried, ("utf-8", MOSTLY)]:
        if lost(body, encoding) <= most:
            return encoding
    return guess(body) or next(iter(named), "utf-8" if _crowded(_sample(body)) else "cp1252")


def labels(body: bytes, content_type: str | None) -> list[str]:
    """The charsets that header, XML declaration and <meta> name, in this order."""
    said = []
    if content_type and (header := _HEADER_CHARSET.search(content_type)):
        said.append(header.group(1))
    head = body[:4096]
    said += [
        m.group(1).decode("ascii", "replace") for m in (_XML_ENCODING.search(head), _META_CHARSET.search(head)) if m
    ]
    return [name for name in map(_python_name, said) if name]


def lost(body: bytes, encoding: str) -> float:
    """The share of the letters beyond ASCII that can't be decoded, as a sample has it; 0 only where all can."""
    try:
        body.decode(encoding)
    except UnicodeDecodeError:
        decoded = _sample(body).decode(encoding, "replace")
        foreign = len(decoded) - len(decoded.encode("ascii", "ignore"))
        return max(decoded.count("\ufffd"), 1) / max(foreign, 1)
    return 0.0


def _sample(body: bytes) -> bytes:
    """From the first letter beyond ASCII on: pages may begin with long scripts."""
    first = _FOREIGN.search(body)
    begin = first.start() if first else 0
    return body[begin : begin + SAMPLE]


def guess(body: bytes) -> str | None:
    """The charset in which the letters look most like those of a language, None where they look like none."""
    sample = _sample(body)
    best, found = _LIKELY, None
    for script in _SCRIPTS:
        for encoding in script.encodings:
            if (likeness := _likeness(sample, encoding, script)) > best:
                best, found = likeness, encoding
    return found


def _likeness(sample: bytes, encoding: str, script: _Script) -> float:
    foreign = [letter for letter in sample.decode(encoding, "replace") if not letter.isascii()]
    if (
        len(foreign) < ENOUGH or foreign.count("\ufffd") > DAMAGED * len(foreign) + 1
    ):  # one may be cut off at the sample's end
        return 0.0
    if encoding == "cp1252" and _crowded(sample):
        return 0.0
    return sum(letter in script.letters for letter in foreign) / len(foreign) / script.share


def _crowded(sample: bytes) -> bool:
    """Whether the bytes beyond ASCII stand in rows: in Latin scripts they stand alone among others."""
    return sum(map(len, _RUN.findall(sample))) > 0.3 * len(_FOREIGN.findall(sample))


def _python_name(label: str) -> str | None:
    try:
        info = codecs.lookup(label)
    except LookupError:
        return None
    text_only = getattr(info, "_is_text_encoding", True)
    if not text_only or info.name in {"utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode"}:
        return None
    return _ALIASES.get(info.name, info.name)
