"""Mails: what they say, in text and HTML alike, and that what publishers write stays words."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import mail_samples
import pytest
from mail_samples import ARABIC, DENIAL, FRESH, KOREAN, MAXIMUM, RUSSIAN, SILENCE, SURGE, alert_content, digest_content

from pipeline.logic import carrying, mailstyle, mailwords
from pipeline.logic.coverage import Coverage
from pipeline.logic.mail import (
    AlertContent,
    Evidence,
    MailLinks,
    Quantity,
    Report,
    Thread,
    alert,
    confirmation,
    digest,
    operator_note,
)
from pipeline.logic.tracking import Event

AT = datetime(2024, 12, 19, 8, 5, tzinfo=UTC)
SENTENCE = "At least ninety of the soldiers fell near the village, the agency said."


def report(publisher: str = "The Tide", **changes: Any) -> Report:
    values = {
        "country": "GB",
        "language": "en",
        "title": "Losses near the border",
        "url": f"https://{publisher.lower().replace(' ', '')}.example/a?x=1&y=2",
        "published": AT,
        "from_entry": False,
    }
    return Report(publisher, **{**values, **changes})


def content(*reports: Report, sentence: str = SENTENCE, kind: str = "first_seen", **changes: Any) -> AlertContent:
    """A mail in which nothing is given that may be left out."""
    given = reports or (report(), report("Second Post", title="The same again", published=AT + timedelta(hours=1)))
    evidence = Evidence(sentence, f"Before it. {sentence} After it.", "supports", 0.934, given)
    values = {
        "claim_id": "killed-in-kursk",
        "statement": "Soldiers were killed.",
        "coverage": Coverage(3, 7, 3, 2, 4, AT),
    }
    events = [Event(kind, "", "quiet for 12 days before this")]
    return AlertContent(**{"events": events, "evidence": [evidence], **values, **changes})


class Reader(HTMLParser):
    """What a mail program would show, its links, and anything active."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in ("br", "img", "meta"):
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in ("b", "bdi", "span", "a"):
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)


def bare(text: str) -> str:
    """Without the characters that only set directions apart."""
    return text.replace(mailwords.FSI, "").replace(mailwords.PDI, "")


def sent(given: AlertContent) -> tuple[str, str, str]:
    """Subject, text and what the HTML shows."""
    message = alert(given, "desk@example.org", "<1@claimwatch>")
    return message.subject, message.text, Reader(message.html).text


@pytest.mark.parametrize(
    ("given", "subject"),
    [
        (alert_content(), "Killed in Kursk: NIS now says about 600 killed, was about 300"),
        (
            mail_samples.denied(),
            "Killed in Kursk: first denial, by Вечерний вестник; NIS now says about 600 killed, was about 300",
        ),
        (mail_samples.silent(), "Killed in Kursk: no story for 12 days"),
        (content(), f"killed-in-kursk: first report, by The Tide: {SENTENCE}"),
        (content(kind="fresh_coverage"), f"killed-in-kursk: fresh coverage, by The Tide: {SENTENCE}"),
        (content(sentence="Word " * 40), f"killed-in-kursk: first report, by The Tide: {'Word ' * 14}Word…"),
        (alert_content(events=[SURGE, FRESH]), "Killed in Kursk: 6 stories within a day"),
        (alert_content(title="", events=[SURGE]), "killed-in-kursk: 6 stories within a day"),
    ],
)
def test_subjects_say_the_news(given: AlertContent, subject: str) -> None:
    told = sent(given)[0]
    assert told == subject
    assert len(told) <= 120


def facts(given: AlertContent) -> list[str]:
    """What a reader has to find in either form."""
    found = [given.statement, *(f.authority for f in given.figures), *(f.told for f in given.figures)]
    for item in given.evidence:
        found += [item.sentence, item.before.strip(), item.after.strip(), f"{item.stance} the claim", *item.origins]
        found += [f"{item.probability:.0%}"[:-1] + " %", item.why or ""]
        for one in item.reports:
            found += [one.publisher, one.title, f"({one.country})", mailwords.language(one.language)]
    return [fact for fact in found if fact]


@pytest.mark.parametrize("make", [alert_content, mail_samples.denied, mail_samples.silent, content])
def test_text_and_html_say_the_same(make: Any) -> None:
    given = make()
    message = alert(given, "desk@example.org", "<1@claimwatch>")
    shown = Reader(message.html)
    assert not shown.open
    text = " ".join(bare(message.text).replace("*", "").split())
    for fact in facts(given):
        assert fact in text, fact
        assert fact in shown.text, fact
    assert set(re.findall(r"https?://\S+", text)) == set(shown.links)
    now = given.coverage
    numbers = {now.stories, now.articles, now.publishers, now.families, now.origins}
    numbers |= {"30 before", "79 before", "18 before"} if given.known else set()
    for number in numbers:
        assert re.search(rf"\b{number}\b", text)
        assert re.search(rf"\b{number}\b", shown.text)
    # Every line of the text but for headings, links and what stands in lists is a line of the HTML.
    for line in bare(message.text).replace("*", "").splitlines():
        words = " ".join(re.sub(r"^[->] |https?://\S+", "", line).split())
        if words.strip("-") and not words.isupper() and not re.search(r": |:$|,|\(", words):
            assert words.rstrip(".") in shown.text, words


def test_what_changed() -> None:
    _, text, shown = sent(alert_content())
    assert "- stories: 31, 30 before\n- articles: 84, 79 before\n- publishers: 19, 18 before\n- families: 12\n" in text
    known = "Before this we knew of 30 stories, the first of 18 October 2024, the latest of 4 January 2025, 15:40 KST."
    for told in (text, shown):
        assert known in told
        assert "about 600, was about 300" in told
        assert "killed and wounded" in told
    for told in sent(alert_content(known=Coverage(0, 0, 0, 0, 0)))[1:]:
        assert "Nothing was known of this claim before. Now:" in told
        assert " before\n" not in told
    for told in sent(content())[1:]:
        assert "So far on this claim, the first of 19 December 2024:" in told


def test_what_was_held_back_is_told_too() -> None:
    for told in sent(alert_content())[1:]:
        assert told.count("6 stories within a day, 9 times its usual 0.65 a day.") == 1
        assert "since the last mail on this claim" in told.lower()
    assert "since the last mail" not in sent(alert_content(held=[]))[1].lower()


def test_the_chart_in_words() -> None:
    message = alert(alert_content(chart=b"png"), "a@b.org", "<1@x>")
    (alternative,) = (value for tag, name, value in Reader(message.html).attributes if (tag, name) == ("img", "alt"))
    for told in (message.text, alternative):
        assert "29 stories in the 90 days to 13 January 2025, most on 8 November 2024 (5)." in told
        assert "Stories a week, the latest last: 1 1 2 10 1 4 0 2 1 0 3 0 4." in told
    empty = replace(mail_samples.history(), days=[(datetime(2024, 1, 1, tzinfo=UTC).date(), 9)])
    assert "No story in the 90 days to 13 January 2025." in sent(alert_content(history=empty))[1]


def test_one_report_of_the_feeds_own_text() -> None:
    given = content(report(from_entry=True, country=None), kind="fresh_coverage", coverage=Coverage(1, 1, 1, 1, 1))
    for text in sent(given)[1:]:
        assert "Fresh coverage, by The Tide" in text
        assert "Quiet for 12 days before this." in text
        assert "from the feed's own text (the page could not be read)" in text
        assert "more article" not in text
        assert "(GB)" not in text
        assert "Archived" not in text
        assert "1 before" not in text


def test_each_quotation_says_why_whom_it_rests_on_and_how_sure() -> None:
    known = {"origins": ("NIS", "Reuters"), "why": "sentence 2 of 3: killed +\n kursk", "precision": 0.8, "labels": 312}
    first = Evidence(SENTENCE, f"Before it. {SENTENCE}", "supports", 0.934, [report()], **known)
    second = Evidence("They did not.", "They did not.", "refutes", 0.997, [report("B")], confirmed=True, labels=0)
    third = replace(first, sentence="Again.", paragraph="Again.", why=None)
    for text in sent(content(evidence=[first, second, third]))[1:]:
        assert text.count("Probability 93 %, resting on NIS and Reuters.") == 2
        for said in (
            "Why it matched: sentence 2 of 3: killed + kursk",
            "Estimated precision of this setting: 80 %, from 312 labelled pairs accepted at it.",  # once is enough
            "Probability over 99 %.",
            "A reviewer confirmed it.",
        ):
            assert text.count(said) == 1, said


def test_of_many_passages_and_articles_the_first_are_named() -> None:
    reports = [report(f"Paper {n}", title=f"Title {n}.", published=AT + timedelta(hours=n)) for n in range(20)]
    evidence = [Evidence(f"Sentence {n}.", "", "supports", 0.9, reports[n:]) for n in range(5)]
    for text in sent(content(evidence=evidence))[1:]:
        assert [n for n in range(5) if f"Sentence {n}." in text] == [0, 1, 2]
        assert "2 more passages match." in text
        assert "in 17 more articles" in text.lower()
        assert [n for n in range(20) if f"Title {n}." in text] == list(range(11))
        assert "And 9 articles more." in text


def test_what_turned_the_evidence_is_quoted_first() -> None:
    _, text, shown = sent(alert_content(events=[MAXIMUM, DENIAL], evidence=[KOREAN, RUSSIAN]))
    for told in (text, shown):
        assert told.index("First denial") < told.index("NIS now says")
        assert told.index(RUSSIAN.sentence) < told.index(KOREAN.sentence)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("first_seen", ""),
        ("contradiction", "first/refutes"),
        ("new_origin", "nis"),
        ("first_official_figure", "killed"),
        ("new_maximum", "killed/600"),
        ("new_minimum", "killed/300/2024-12-19"),
    ],
)
def test_the_passage_that_carries_the_news_is_quoted_first(kind: str, key: str) -> None:
    later = Evidence("Later.", "Later.", "refutes", 0.99, [report("B", published=AT + timedelta(hours=2))])
    given = {"origin_ids": ("nis",), "figures": (Quantity("killed", 300, 600), Quantity("wounded", 2700, 2700))}
    carrier = Evidence("Carrier.", "Carrier.", "refutes", 0.8, [report("C")], **given)
    other = Evidence("Other.", "Other.", "supports", 0.98, later.reports, figures=(Quantity("casualties", 300, 600),))
    ordered = carrying.ordered([later, other, carrier], Event(kind, key, ""))
    assert [item.sentence for item in ordered] == ["Carrier.", "Later.", "Other."]
    turn = carrying.ordered([other, later, carrier], Event("contradiction", "turn/refutes/7", ""))
    assert [item.sentence for item in turn] == ["Later.", "Carrier.", "Other."]


def test_a_wire_report_is_quoted_once_however_many_outlets_carry_it() -> None:
    told = "About ninety of the soldiers fell near the village in two weeks, and 300 were wounded, the agency said."
    sentences = [told, f"SEOUL, Jan 13 (Tide) - {told}", told.replace("300", "500"), "A tank was lost."]
    evidence = [Evidence(text, text, "supports", 0.9, [report(f"Paper {text}", title="Ninety")]) for text in sentences]
    text = sent(content(evidence=evidence))[1]
    assert [text.count(f"Paper {sentence}"[:30]) > 0 for sentence in sentences] == [True] * 4, "each article is named"
    assert [item.sentence for item in carrying.distinct(evidence, 3)] == [told, sentences[2], sentences[3]]
    assert "1 more passage matches." in text
    title = Evidence(report().title, report().title, "supports", 0.99, [report()])
    assert carrying.distinct([evidence[0], title], 3) == [evidence[0], title], "of another article it is news"
    inside = replace(evidence[0], reports=[report()])
    assert carrying.distinct([inside, title], 3) == [inside], "the link below the quotation says it"


def test_the_outlet_that_a_headline_names_is_quoted() -> None:
    before = Evidence("Before.", "Before.", "refutes", 0.99, [report("The Gull", published=AT - timedelta(hours=2))])
    named = Evidence("Named.", "Named.", "refutes", 0.8, [report()])
    event = Event("contradiction", "first/refutes", "", "first denial, by The Tide")
    assert carrying.ordered([before, named], event) == [named, before]


def test_what_acts_for_the_reader_stands_last_and_says_so() -> None:
    message = alert(alert_content(), "a@b.org", "<1@x>")
    for order in (Reader(message.html).links, re.findall(r"https?://\S+", message.text)):
        acting = [link for link in order if "/mail/" in link]
        assert len(acting) == 5
        assert set(order[-6:]) == {*acting, mail_samples.LINKS.claim}
    assert "leave them out when you forward this mail" in message.text
    without = alert(
        replace(alert_content(), links=MailLinks(), evidence=[replace(KOREAN, confirm=None, reject=None)]),
        "a@b.org",
        "<1@x>",
    )
    for text in (without.text, without.html):
        assert "/mail/" not in text
        assert "forward" not in text
    assert "List-Unsubscribe" not in without.headers


def test_times_are_the_readers() -> None:
    for zone, told in (
        ("UTC", "13 January 2025, 06:40 UTC"),
        ("Europe/Berlin", "13 January 2025, 07:40 CET"),
        ("America/Sao_Paulo", "13 January 2025, 03:40 UTC-3"),
        ("Asia/Kolkata", "13 January 2025, 12:10 IST"),
        ("Mars/Base", "13 January 2025, 06:40 UTC"),
    ):
        for text in sent(alert_content(zone=zone))[1:]:
            assert told in text


def test_headers() -> None:
    thread = Thread("<claim.killed@example.org>", ["<1@example.org>", "<bad\r\nBcc: x@y>", "<2@example.org>"])
    headers = alert(alert_content(), "a@b.org", "<9@example.org>", thread).headers
    assert headers == {
        "X-Claimwatch-Claim": "killed-in-kursk",
        "In-Reply-To": "<2@example.org>",
        "References": "<claim.killed@example.org> <1@example.org> <2@example.org>",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "All",
        "List-Id": "claimwatch <claimwatch.example.org>",
        "List-Unsubscribe": f"<{mail_samples.LINKS.unsubscribe}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }
    first = alert(alert_content(), "a@b.org", "<9@example.org>", Thread("<claim.killed@example.org>")).headers
    assert first["In-Reply-To"] == first["References"] == "<claim.killed@example.org>"


@pytest.mark.parametrize(
    "link", ["mailto:a@b.org", "javascript:x", "https://a.example/>\r\nBcc: b@c", "https://a.example/é"]
)
def test_only_whole_web_addresses_unsubscribe(link: str) -> None:
    assert "List-Unsubscribe" not in alert(alert_content(links=MailLinks(unsubscribe=link)), "a@b.org", "<1@x>").headers


def test_a_digest_is_sorted_by_what_matters() -> None:
    message = digest(digest_content(), "a@b.org", "<1@x>")
    shown = Reader(message.html)
    assert not shown.open
    assert bare(message.subject) == "Daily digest: Taken prisoner: first report, by صحيفة المرسى (and 3 claims more)"
    text = bare(message.text)
    for told, titles in (
        (text, ["TAKEN PRISONER", "KILLED IN KURSK", "SHELLS BY RAIL", "TRAINED IN THE FAR EAST", "WITHOUT NEWS"]),
        (
            shown.text,
            ["Taken prisoner", "Killed in Kursk", "Shells by rail", "Trained in the Far East", "Without news"],
        ),
    ):
        assert [told.index(title) for title in titles] == sorted(told.index(title) for title in titles)
        for said in (
            "4 claims have news",
            "12 January 2025, 00:00 CET to 13 January 2025, 08:00 CET",
            "Reading has gaps. 3 feeds have been down since Tuesday, 7 January: 새벽일보, Harbour Wire, The Tide.",
            "First denial, by Вечерний вестник",
            "NIS now says about 600 killed, was about 300.",
            RUSSIAN.sentence,
            ARABIC.sentence,
            "6 new stories; in all 31 stories from 12 families, in 84 articles.",
            "New: 1 story from 1 family, in 1 article.",
            "No story for 12 days",
            "5 claims: Over 10,000 troops; Workers in arms plants; Cheap manpower; Combat experience; Drone lines.",
        ):
            assert said in told, said
    assert set(re.findall(r"https?://\S+", text)) == set(shown.links)
    assert message.headers["List-Unsubscribe"]


def test_a_digest_without_news_says_whether_that_is_peace() -> None:
    message = digest(digest_content(moved=[]), "a@b.org", "<1@x>")
    assert message.subject.startswith("Daily digest: nothing new on 5 claims, but 3 feeds have been down since Tuesday")
    message = digest(digest_content(moved=[], health=[], rhythm="weekly"), "a@b.org", "<1@x>")
    assert message.subject == "Weekly digest: nothing new on 5 claims"
    for told in (message.text, Reader(message.html).text):
        assert "No claim has news" in told
        assert "Everything was read: no feed is down, and nothing waits." in told


def test_a_digest_of_everything_stays_readable() -> None:
    moved = [replace(mail_samples.digest_content().moved[1], claim_id=f"c{n}", title=f"Claim {n}.") for n in range(40)]
    message = digest(digest_content(moved=moved), "a@b.org", "<1@x>")
    assert len(message.html.encode()) < 100_000  # where Gmail cuts
    for told in (message.text.lower(), Reader(message.html).text.lower()):
        assert all(f"claim {n}." in told for n in range(40))
        assert told.count(RUSSIAN.sentence.lower()) == 10


def test_confirmation() -> None:
    message = confirmation("Killed in Kursk", "daily", mail_samples.CONFIRM, "a@b.org", "<1@example.org>")
    assert message.subject == "Please confirm: news on Killed in Kursk, once a day"
    shown = Reader(message.html)
    for told in (message.text, shown.text):
        assert "asked claimwatch to tell a@b.org of news on Killed in Kursk, once a day." in told
        assert "Nothing is sent before you say yes." in told
        assert "If it was not you, do nothing" in told
    assert set(shown.links) == {mail_samples.CONFIRM}
    assert mail_samples.CONFIRM in message.text
    assert "List-Unsubscribe" not in message.headers


def test_operator_note() -> None:
    message = operator_note("the pipeline has stalled", "fetch: 3 <due>\n\nmore", "a@b.org", "<1@x>")
    assert message.subject == "[claimwatch] the pipeline has stalled"
    assert message.text == "fetch: 3 <due>\n\nmore\n"
    assert "fetch: 3 <due>" in Reader(message.html).text


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</b></blockquote><a href='javascript:alert(1)'>x</a>",
    "{{ 7 * 7 }} {% raw %} &amp; <b>",
    "</title></style><style>*{display:none}</style>",
]
TAGS = "html head meta title style body div table tr td p h1 h2 b bdi br a blockquote span img"  # and nothing else


@pytest.mark.parametrize("evil", HOSTILE)
def test_html_escapes_what_publishers_write(evil: str) -> None:
    reports = [report(publisher=evil, title=evil, country=evil, language=evil)]
    evidence = [Evidence(evil, f"Before it. {evil}", evil, 0.9, reports, origins=(evil,), why=evil)]
    event = Event("edited", "", evil, evil)
    given = content(evidence=evidence, statement=evil, title=evil, events=[event], held=[event], zone=evil)
    message = alert(given, "a@b.org", "<1@x>")
    shown = Reader(message.html)
    assert shown.tags <= set(TAGS.split())
    assert not shown.open
    assert shown.text.count(" ".join(evil.split())) >= 10
    assert message.text.count(evil) >= 10  # plain text is not escaped
    assert all(link.startswith("https://") for link in shown.links)
    moved = replace(digest_content().moved[0], title=evil, events=[event], best=evidence[0], link=evil)
    made = digest(digest_content(moved=[moved], quiet=[evil], health=[evil], scope=evil), "a@b.org", "<1@x>")
    assert Reader(made.html).tags <= set(TAGS.split())
    assert made.html.count("<style") == 1


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "urn:claimwatch:1:ab", "JavaScript:x", "//x", "http://[x"]
)
def test_only_web_addresses_become_links(url: str) -> None:
    links = MailLinks(url, url, url, url)
    message = alert(content(report(url=url, archived=url), report("Other"), links=links), "a@b.org", "<1@x>")
    shown = Reader(message.html)
    assert shown.links == ["https://other.example/a?x=1&y=2"]
    assert url in shown.text  # told all the same, as text
    assert message.text.count(url) == 1


def test_quotes_in_an_address_stay_inside_it() -> None:
    url = 'https://x.example/?q="onclick="alert(1)&b=\'<i>'
    assert Reader(alert(content(report(url=url)), "a@b.org", "<1@x>").html).links == [url]


@pytest.mark.parametrize("breaking", ["\r\nBcc: all@example.org", "\nX: y", "\u2028X: y", "\x0bX", "\x85X"])
def test_subjects_are_one_line(breaking: str) -> None:
    given = content(report(publisher=f"The Tide{breaking}"), sentence=f"One.{breaking}", title=f"Title{breaking}")
    for message in (
        alert(given, "a@b.org", "<1@x>"),
        operator_note(f"stalled{breaking}", "body", "a@b.org", "<1@x>"),
        confirmation(f"all{breaking}", "daily", "https://x.example", "a@b.org", "<1@x>"),
        digest(digest_content(moved=[replace(digest_content().moved[0], title=breaking)]), "a@b.org", "<1@x>"),
    ):
        assert len(message.subject.splitlines()) == 1


OVERRIDES = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200e\u200f\u061c\u00ad\u200b\ufeff\U000e0041\x00\x1b"


def test_characters_that_turn_or_hide_words_are_taken_out() -> None:
    given = content(report(publisher=f"Ti{OVERRIDES}de", title=f"ab{OVERRIDES}c"), sentence=f"gn{OVERRIDES}p.exe")
    message = alert(given, "a@b.org", "<1@x>")
    for text in (message.subject, message.text, message.html):
        assert not set(text) & set(OVERRIDES)
    assert "gnp.exe" in message.text
    assert "Tide" in message.subject


def test_words_from_right_to_left_do_not_turn_their_surroundings() -> None:
    given = alert_content(evidence=[ARABIC], events=[Event("first_seen", "", "")])
    message = alert(given, "a@b.org", "<1@x>")
    assert bare(message.subject).startswith("Killed in Kursk: first report, by صحيفة المرسى: قالت الوكالة")
    for text in (message.subject, *message.text.splitlines()):
        assert text.count(mailwords.FSI) == text.count(mailwords.PDI)
        outside = re.sub(f"{mailwords.FSI}[^{mailwords.PDI}]*{mailwords.PDI}|^> .*", "", text)
        assert not re.search(r"[\u0590-\u08ff]", outside), text
    quotes = [values for values in Reader(message.html).attributes if values[0] == "blockquote"]
    assert ("blockquote", "dir", "auto") in quotes
    assert ("blockquote", "lang", "ar") in quotes
    assert any("border-right-style" in value for _, _, value in quotes)
    # In HTML every foreign text stands in an element with a direction of its own.
    assert not re.search(
        r">[^<]*[a-z][^<]*[\u0590-\u08ff]", re.sub(r"<bdi>[^<]*</bdi>|<title>.*</title>", "", message.html)
    )


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG = "\U0001f1f0\U0001f1f5"


@pytest.mark.parametrize("unit", [FAMILY, FLAG, "e\u0301", "👍🏽", "न\u093f", "한"])
def test_cuts_fall_between_what_is_seen_as_characters(unit: str) -> None:
    for most in range(5, 30):
        told = mailwords.cut(unit * 30, most)
        assert len(told) <= most
        assert told.endswith("…")
        assert told[:-1] == unit * (len(told[:-1]) // len(unit))
        end = mailwords.tail(unit * 30, most)
        assert end[1:] == unit * (len(end[1:]) // len(unit))


def test_cuts_fall_between_words() -> None:
    assert mailwords.cut("Seven soldiers, two of them officers", 20) == "Seven soldiers, two…"
    assert mailwords.cut("Seven soldiers, two of them officers", 16) == "Seven soldiers…"
    assert mailwords.cut("a" * 50, 10) == "a" * 9 + "…"
    assert mailwords.cut("short", 5) == "short"
    assert mailwords.tail("two of them officers", 14) == "…them officers"


@pytest.mark.parametrize("letter", ["x", "한", "ш", "ع", "😀", "\u0301", "\ud800", "x "])
def test_ten_thousand_characters_everywhere(letter: str) -> None:
    long = letter * 10_000
    one = report(publisher=long, title=long, country=long, language=long, url="https://a.example/")
    evidence = Evidence(long, f"{long}{long}{long}", "supports", 0.9, [one] * 9, origins=[long] * 50, why=long)
    event = Event("edited", "", long, long)
    given = content(evidence=[evidence] * 9, statement=long, title=long, events=[event] * 3, held=[event] * 3)
    moved = [replace(digest_content().moved[0], title=long, events=[event] * 3, best=evidence)] * 30
    for message in (
        alert(given, "a@b.org", "<1@x>"),
        digest(digest_content(moved=moved, quiet=[long] * 30, health=[long], scope=long), "a@b.org", "<1@x>"),
    ):
        assert len(message.subject) <= 135
        assert len(message.html) < 100_000
        assert len(message.text) < 60_000
        message.subject.encode()
        (message.text + message.html).encode()


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_everything_can_be_read_in_the_light_and_in_the_dark() -> None:
    inlined, sheet = mailstyle._css()
    dark = dict(mailstyle._RULE.findall(sheet.partition("@media (max-width")[0]))
    for rules, mark in ((inlined, ""), (dark, " !important")):
        colour = re.compile(rf"(?<![a-z-])color: (#[0-9a-f]{{6}}){mark};")
        ground = re.compile(rf"background-color: (#[0-9a-f]{{6}}){mark};")
        cards = [ground.search(rules[name])[1] for name in ("card", "ground")]  # type: ignore[index]
        for name, rule in rules.items():
            if name != "hidden" and (found := colour.search(rule)):
                own = ground.search(rule)
                grounds = [own[1]] if own else [*cards, ground.search(rules["tile"])[1]]  # type: ignore[index]
                assert min(contrast(found[1], one) for one in grounds) >= 4.5, (mark, name)
    # What has a colour in the light has one in the dark.
    assert {n for n, rule in inlined.items() if "color: #" in rule} - {"hidden", "frame"} <= set(dark)


def test_html_brings_everything_along() -> None:
    for message in (alert(alert_content(chart=b"x"), "a@b.org", "<1@x>"), digest(digest_content(), "a@b.org", "<1@x>")):
        shown = Reader(message.html)
        assert {value for tag, name, value in shown.attributes if tag == "img" and name == "src"} <= {
            "cid:chart@claimwatch"
        }
        assert "url(" not in message.html
        assert ("html", "lang", "en") in shown.attributes
        assert all(("table", "role", "presentation") in shown.attributes for tag in ("table",))
        styled = {tag for tag, name, _ in shown.attributes if name == "style"}
        assert {"p", "h1", "td", "table", "a", "blockquote"} <= styled


def test_silence_renders_without_evidence() -> None:
    subject, text, shown = sent(mail_samples.silent())
    assert subject == "Killed in Kursk: no story for 12 days"
    for told in (text, shown):
        assert mailwords.sentence(SILENCE.reason[:1].upper() + SILENCE.reason[1:]) in told
        assert "what is reported" not in told.lower()
        assert "what is known" in told.lower()
        assert "Is this evidence?" not in told
