"""Charsets that are not named, or named wrongly, in feeds, sitemaps and pages."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from pipeline.logic import feeds
from pipeline.logic.charsets import decode
from pipeline.logic.extraction import extract

KOREAN = "국가정보원은 18일 북한이 특수부대 병력을 러시아에 파견했다고 밝혔다."
RUSSIAN = "Разведка сообщила в пятницу, что КНДР направила в Россию около полутора тысяч военнослужащих."
UKRAINIAN = "Розвідка повідомила, що її джерела бачили військових КНДР на полігоні, де вже є й інші загони."
JAPANESE = "国家情報院は十八日、北朝鮮が特殊部隊の兵士をロシアに派遣したと発表した。"
CHINESE = "韩国国家情报院十八日说，朝鲜已经向俄罗斯派出特种部队，这些人在远东地区的军营里。"
TAIWANESE = "韓國國家情報院十八日說，北韓已經向俄羅斯派出特種部隊，這些人在遠東地區的軍營裡。"
FRENCH = "Le ministre a déclaré à la presse que « rien n’était décidé » et qu’on répondrait à l’été."
LEGACY = [
    (KOREAN, "cp949"), (RUSSIAN, "cp1251"), (RUSSIAN, "koi8_r"), (RUSSIAN, "iso8859-5"), (UKRAINIAN, "cp1251"),
    (JAPANESE, "cp932"), (JAPANESE, "euc_jp"), (CHINESE, "gb18030"), (TAIWANESE, "big5"), (FRENCH, "cp1252"),
]  # fmt: skip
RSS = '<rss version="2.0"><channel><title>{0}</title><item><title>{0}</title></item></channel></rss>'
PAGE = "<html><head>{head}<title>x</title></head><body><article><p>{0}</p><p>{0} (1)</p></article></body></html>"
NEWS = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:n="http://www.google.com/schemas/sitemap-news'
    '/0.9"><url><loc>https://paper.test/1</loc><n:news><n:title>{0}</n:title></n:news></url></urlset>'
)
NOW = datetime(2024, 11, 1, tzinfo=UTC)


def titles(body: bytes, content_type: str | None = None) -> list[str]:
    parsed = feeds.parse(body, content_type, "https://paper.test/rss")
    return [parsed.title, *(entry.title for entry in parsed.entries)]


@pytest.mark.parametrize(("said", "encoding"), LEGACY)
@pytest.mark.parametrize("label", ["", '<?xml version="1.0" encoding="utf-8"?>'])
def test_the_letters_tell(said: str, encoding: str, label: str) -> None:
    assert titles((label + RSS.format(said)).encode(encoding)) == [said, said]
    assert titles((label + NEWS.format(said)).encode(encoding))[1:] == [said]
    body = PAGE.format(said, head="<meta charset=utf-8>" if label else "").encode(encoding)
    assert extract(body, "text/html", "https://paper.test/1", NOW).paragraphs == (said, f"{said} (1)")


@pytest.mark.parametrize(("said", "encoding"), LEGACY)
def test_latin_1_is_what_servers_say_that_nobody_told(said: str, encoding: str) -> None:
    assert titles(RSS.format(said).encode(encoding), "text/xml; charset=ISO-8859-1") == [said, said]


@pytest.mark.parametrize("declared", ["", "utf-8", "windows-1251"])
@pytest.mark.parametrize("sent", ["utf-8", "iso-8859-1", "windows-1251", "koi8-r", "nonsense"])
@pytest.mark.parametrize("media_type", ["text/xml", "application/rss+xml", "text/html"])
def test_utf_8_is_seen_whatever_is_said(declared: str, sent: str, media_type: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    assert titles((head + RSS.format(RUSSIAN)).encode(), f"{media_type}; charset={sent}") == [RUSSIAN, RUSSIAN]


@pytest.mark.parametrize("media_type", ["text/xml", "application/rss+xml", "text/html"])
def test_a_declaration_is_believed_beside_a_default(media_type: str) -> None:
    body = '<?xml version="1.0" encoding="windows-1251"?>' + RSS.format(RUSSIAN)
    for sent in ("", "; charset=ISO-8859-1", "; charset=utf-8"):
        assert titles(body.encode("cp1251"), media_type + sent) == [RUSSIAN, RUSSIAN]


def test_a_label_that_fits_counts_more_than_the_letters() -> None:
    body = RSS.format(RUSSIAN.swapcase()).encode("koi8_r")
    assert titles(body, "text/xml; charset=koi8-r") == [RUSSIAN.swapcase()] * 2


@pytest.mark.parametrize("said", [KOREAN, RUSSIAN, "“Yes,” he said – “we know.”"])
@pytest.mark.parametrize("broken", [b"\xed\xa0\x80", b"\xe2\x80", b"\xff"])
def test_a_letter_cut_in_two_costs_itself_alone(said: str, broken: bytes) -> None:
    body = ('<?xml version="1.0" encoding="utf-8"?>' + RSS.format(said + " |")).encode().replace(b"|", broken)
    for title in titles(body):
        assert title.startswith(said)
        assert set(title[len(said) :]) <= {" ", "\ufffd"}


def test_letters_that_come_late() -> None:
    late = "<script>" + "x = 1;\n" * 60_000 + "</script>"
    for said, encoding in LEGACY:
        assert said in decode((late + PAGE.format(said, head="")).encode(encoding))


def test_rubbish_takes_no_time() -> None:
    started = time.process_time()
    for rubbish in (bytes(range(256)) * 20_000, b"\xff" * 5_000_000, b"\xd0" * 5_000_000):
        decode(rubbish)
    assert time.process_time() - started < 10


def test_two_bytes_a_letter_without_a_mark() -> None:
    for encoding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        assert titles(RSS.format(KOREAN).encode(encoding)) == [KOREAN, KOREAN]
        assert decode(PAGE.format(KOREAN, head="").encode(encoding)) == PAGE.format(KOREAN, head="")


def test_too_little_to_tell() -> None:
    assert decode("café".encode("cp1252")) == "café"
    assert decode("Příklad".encode("cp1250")).startswith("P")
    assert decode("\ufffd\ufffd was lost elsewhere".encode()) == "\ufffd\ufffd was lost elsewhere"
    assert decode(bytes(range(128, 256)) * 9).count("\ufffd") > 100
