"""One spelling for each address."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.logic.urls import MAX_LENGTH, canonical, host, is_front_page, same_site


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Example.COM", "http://example.com/"),
        ("https://example.com:443/a#b", "https://example.com/a"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://example.com/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/%2e%2e/a", "https://example.com/a"),
        ("https://example.com/a/..", "https://example.com/"),
        ("https://example.com/a?", "https://example.com/a"),
        ("https://example.com/a?b=2&a=1&&utm_source=x&UTM_Medium=y", "https://example.com/a?b=2&a=1"),
        ("https://example.com/a?fbclid=1&gclid=2&at_medium=3&mc_cid=4", "https://example.com/a"),
        ("https://example.com/a?id=5&ref_src=x#top", "https://example.com/a?id=5"),
        ("https://example.com/a?attend=1&format=2", "https://example.com/a?attend=1&format=2"),
        ("  https://example.com/a\n", "https://example.com/a"),
        ("https://example.com/a b", "https://example.com/a%20b"),
        ("https://example.com/%7euser/%e4%b8%ad", "https://example.com/~user/%E4%B8%AD"),
        ("https://example.com/중앙?q=북한", "https://example.com/%EC%A4%91%EC%95%99?q=%EB%B6%81%ED%95%9C"),
        ("https://example.com/100%", "https://example.com/100%25"),
        ("https://пример.рф/", "https://xn--e1afmkfd.xn--p1ai/"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("http://[2001:DB8::0001]:80/", "http://[2001:db8::1]/"),
        ("https://under_score.example.com/", "https://under_score.example.com/"),
        ("https://example.com/2024/10/troops/amp/", "https://example.com/2024/10/troops/"),
        ("https://example.com/2024/10/troops/amp", "https://example.com/2024/10/troops"),
        ("https://example.com/news?amp=1", "https://example.com/news"),
        ("https://example.com/amp/", "https://example.com/amp/"),
        ("https://example.com/revamp", "https://example.com/revamp"),
        ("https://amp.theguardian.com/world/x", "https://www.theguardian.com/world/x"),
        ("https://en.m.wikipedia.org/wiki/X", "https://en.wikipedia.org/wiki/X"),
        ("https://m.example.com/x", "https://m.example.com/x"),
        ("https://example.com\\a\\b", None),
        ("https://example.com/a\\b", "https://example.com/a/b"),
        ("https://user:pw@example.com/", None),
        ("https://user@example.com/", None),
        ("ftp://example.com/", None),
        ("javascript:alert(1)", None),
        ("mailto:a@example.com", None),
        ("https://", None),
        ("//example.com/a", None),
        ("/a", None),
        ("", None),
        ("https://example.com:99999/", None),
        ("https://exa mple.com/", None),
        ("https://[::1/", None),
        ("https://example.com/\x00", "https://example.com/"),
        ("https://example.com/a\x00b", None),
        ("https://example.com/\ud800", None),
        ("https://a..b.example/", None),
        ("https://example.com/" + "a" * MAX_LENGTH, None),
    ],
)
def test_canonical(url: str, expected: str | None) -> None:
    assert canonical(url) == expected


def test_relative_addresses_need_a_base() -> None:
    assert canonical("../b?x=1", "https://example.com/a/c/d") == "https://example.com/a/b?x=1"
    assert canonical("//other.example/b", "https://example.com/") == "https://other.example/b"
    assert canonical("http://[", "https://example.com/") is None


_ADDRESS = st.builds(
    "{}://{}{}/{}{}".format,
    st.sampled_from(["http", "https", "HTTPS"]),
    st.sampled_from(["example.com", "EXAMPLE.com.", "пример.рф", "a_b.example", "[::1]", "1.2.3.4", "ß.example"]),
    st.sampled_from(["", ":80", ":443", ":8080", ":"]),
    st.text(alphabet="abAB/.%2eEfF&=?#~ +\\;중é\u00a0amp", max_size=40),
    st.text(alphabet="?&=abutm_source%41 중;/#", max_size=20),
)


@given(st.one_of(_ADDRESS, st.text(max_size=60), st.text(max_size=60).map("https://example.com/{}".format)))
@example("https://example.com/x/amp/amp//")
@example("https://example.com/a/%252e%252e/b")
@example("https://example.com/a/.%2e/b")
@settings(max_examples=600, deadline=None)
def test_canonical_is_idempotent_and_plain(url: str) -> None:
    once = canonical(url)
    if once is not None:
        assert canonical(once) == once
        assert once.isascii()
        assert len(once) <= MAX_LENGTH
        assert once.startswith(("http://", "https://"))
        assert not set(' "<>\\^`{|}#').intersection(once)


def test_hosts_and_sites() -> None:
    assert host("https://WWW.Example.com:8080/x") == "www.example.com"
    assert host("http://[") == ""
    assert same_site("https://www.example.co.uk/a", "http://news.example.co.uk/b")
    assert not same_site("https://a.co.uk/", "https://b.co.uk/")
    assert same_site("http://daily.test/a", "http://www.daily.test/")
    assert not same_site("http://daily.test/a", "http://weekly.test/")
    assert same_site("http://127.0.0.1:1/", "http://127.0.0.1:2/")
    assert not same_site("nonsense", "nonsense")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www-paper-test.cdn.ampproject.org/c/s/www.paper.test/2024/a/amp/", "https://www.paper.test/2024/a/"),
        ("https://cdn.ampproject.org/v/paper.test/a?amp_js_v=0.1&usqp=x", "http://paper.test/a"),
        ("https://www.google.com/amp/s/www.paper.test/a.amp.html", "https://www.paper.test/a.html"),
        ("https://www.google.co.kr/url?sa=t&url=https%3A%2F%2Fpaper.test%2Fa%3Futm_source%3Dx", "https://paper.test/a"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fpaper.test%2Fa&h=AT0", "https://paper.test/a"),
        ("https://vk.com/away.php?to=https%3A%2F%2Fpaper.test%2Fa", "https://paper.test/a"),
        ("https://www.google.com/url?q=not-an-address", "https://www.google.com/url?q=not-an-address"),
        (
            "https://www.google.com/search?q=https://paper.test/a",
            "https://www.google.com/search?q=https://paper.test/a",
        ),
        ("https://paper.test/share?url=https://other.test/b", "https://paper.test/share?url=https://other.test/b"),
        ("https://cdn.ampproject.org/v0.js", "https://cdn.ampproject.org/v0.js"),
        ("https://news.google.com/articles/CBMnot-base64-of-anything", None),
        ("https://paper.test/troops.amp.html", "https://paper.test/troops.html"),
        ("https://paper.test/troops.amp", "https://paper.test/troops"),
        ("https://paper.test/.amp", "https://paper.test/.amp"),
        ("https://paper.test/a?outputType=amp&id=1", "https://paper.test/a?id=1"),
        ("https://paper.test/a?outputType=print", "https://paper.test/a?outputType=print"),
        ("https://m.yna.co.kr/view/A1", "https://www.yna.co.kr/view/A1"),
        ("https://paper.test/a?ref=rss&source=twitter&from=newsletter&rss=1", "https://paper.test/a"),
        ("https://paper.test/a?mod=rss_world", "https://paper.test/a"),
        (
            "https://paper.test/a?ref=1234&source=kyiv&from=1&src=rss_id",
            "https://paper.test/a?ref=1234&source=kyiv&from=1&src=rss_id",
        ),
        ("https://paper.test/list?uid=7&cid=8&keyword=x", "https://paper.test/list?uid=7&cid=8&keyword=x"),
    ],
)
def test_what_only_stands_for_another_address(url: str, expected: str | None) -> None:
    assert canonical(url) == (expected or url)


def test_old_google_news_links_name_their_target() -> None:
    target = b"https://paper.test/world/2023/troops-" + b"x" * 120
    for address in (b"https://paper.test/a", target):
        length = bytes([len(address)]) if len(address) < 128 else bytes([len(address) & 0x7F | 0x80, len(address) >> 7])
        code = base64.urlsafe_b64encode(b"\x08\x13\x22" + length + address + b"\xd2\x01\x00").decode().rstrip("=")
        assert canonical(f"https://news.google.com/rss/articles/{code}?oc=5") == address.decode()
        assert canonical(f"https://news.google.com/articles/{code[:-12]}") != address.decode()


_WRAPS = st.sampled_from(
    [
        "https://www.google.com/url?q={}",
        "https://l.facebook.com/l.php?u={}",
        "https://www.google.com/amp/s/{}",
        "https://cdn.ampproject.org/c/s/{}",
        "https://out.reddit.com/t3_x?url={}",
    ]
)


@given(st.lists(_WRAPS, max_size=6), st.text(alphabet="/a.?=&%2Famp:s", max_size=20), st.booleans())
@settings(max_examples=400, deadline=None)
def test_wrapped_addresses_have_one_spelling(wraps: list[str], tail: str, escaped: bool) -> None:
    url = f"https://paper.test/{tail}"
    for wrap in wraps:
        inner = url.removeprefix("https://") if "/s/" in wrap else url
        url = wrap.format(quote(inner, safe="") if escaped and "/s/" not in wrap else inner)
    once = canonical(url)
    if once is not None:
        assert canonical(once) == once


def test_front_pages() -> None:
    assert is_front_page("https://paper.test/")
    assert is_front_page("https://paper.test/index.html")
    assert not is_front_page("https://paper.test/?p=17")
    assert not is_front_page("https://paper.test/a")
