"""Outcomes in plain words: every one has a sentence and, but for those that pass, something to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.feeds import not_a_feed
from pipeline.logic.reasons import explain


@pytest.mark.parametrize(
    ("code", "detail", "said", "advised"),
    [
        ("not-a-feed", "x: the server sent a page that checks for a human reader instead", "human", "blocks"),
        ("not-a-feed", "it is a web page; the page names this feed: https://a.example/f", "names its feed", "https://a.example/f"),
        ("not-a-feed", "it is a web page, and it names no feed", "names no feed", "feeds add"),
        ("not-a-feed", "the answer is empty", "empty", "given up"),
        ("not-a-feed", "no feed format was recognised", "no feed", "feeds add"),
        ("tls", "certificate verify failed: certificate has expired (_ssl.c:1000)", "expired", "renew"),
        ("tls", "Hostname mismatch, certificate is not valid for 'a.example'.", "another name", "www"),
        ("tls", "certificate verify failed: self-signed certificate (_ssl.c:1000)", "self-signed", "official"),
        ("tls", "certificate verify failed: unable to get local issuer certificate", "authority", "chain"),
        ("tls", "UNSUPPORTED_PROTOCOL", "secure connection", "publisher"),
        ("dns", "a.example has no address", "does not exist", "moved"),
        ("dns-temporary", "the name server did not answer", "name server", "by itself"),
        ("connect", "a.example: connection failed: [Errno 111] Connection refused", "refuses", "down"),
        ("connect", "connection lost: [Errno 104] Connection reset by peer", "cut", "overloaded"),
        ("connect", "something else", "could not be reached", "by itself"),
        ("timeout", "not finished within 60 seconds", "in time", "by itself"),
        ("robots", "", "robots.txt", "Ask"),
        ("too-large", "the body is larger than 10,485,760 bytes", "larger", "max_body"),
        ("http-401", "", "login", "public"),
        ("http-403", "", "refuses", "blocks"),
        ("http-404", "", "nothing at this address", "moved"),
        ("http-410", "", "gone", "once a month"),
        ("http-500", "", "answered 500", "by itself"),
        ("http-508", "", "answered 508", "by itself"),
        ("http-420", "", "answered 420", "Ask"),
        ("http-302", "", "302", "by itself"),
        ("nobody-knows", "the moon is full", "The moon is full.", "by itself"),
        ("nobody-knows", "", "nobody-knows", "by itself"),
    ],
)  # fmt: skip
def test_what_is_said(code: str, detail: str, said: str, advised: str) -> None:
    reason = explain(code, detail)
    assert said in reason.what
    assert advised in reason.advice


def test_until_when() -> None:
    until = datetime(2024, 12, 24, 18, 5, tzinfo=UTC)
    assert explain("http-429", until=until).what == "The server says that we ask too often until 24 Dec 18:05 UTC."
    assert "until" not in explain("http-429").what


def test_the_reader_of_feeds_and_the_reasons_use_the_same_words() -> None:
    """The words that tell a challenge page, a page with a feed and an empty answer apart are the reader's."""
    source = (ROOT / "pipeline" / "logic" / "feeds.py").read_text(encoding="utf-8")
    for words in ("checks for a human", "the page names this feed", "the answer is empty", "it is a web page"):
        assert words in source
    assert not_a_feed("https://a.example/", "the answer is empty").code == "not-a-feed"


@given(st.text(max_size=20) | st.sampled_from(["tls", "connect", "not-a-feed", "http-999"]), st.text(max_size=80))
def test_whatever_is_recorded_is_said_in_a_sentence(code: str, detail: str) -> None:
    reason = explain(code, detail)
    assert reason.what.strip()
    assert reason.what.endswith((".", "'.", '".'))
    assert str(reason).startswith(reason.what)
