"""Signed links: whoever holds one has the right that it names, and nobody else has any."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logic.links import LinkError, LinkExpired, Links

BASE, KEY = "https://desk.example.org", "k" * 32
NOW = datetime(2024, 12, 20, 22, tzinfo=UTC)
LINKS = Links(BASE, KEY)
ACTIONS = ("confirm", "unsubscribe", "pause", "manage")

numbers = st.integers(1, 2**63 - 1)
readers = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=60)


def values(link: str | None) -> dict[str, str]:
    assert link is not None
    return dict(parse_qsl(urlsplit(link).query, keep_blank_values=True, strict_parsing=True))


@given(number=numbers, action=st.sampled_from(ACTIONS))
def test_a_subscription_s_link_is_read_back(number: int, action: str) -> None:
    link = getattr(LINKS, action)(number)
    assert urlsplit(link)[:3] == ("https", "desk.example.org", f"/mail/{action}")
    assert LINKS.read(action, values(link), NOW) == {"subscription": str(number)}
    assert link == BASE + LINKS.address(action, number)


@given(match=numbers, verdict=st.sampled_from(["confirmed", "rejected"]), reader=readers, ahead=st.integers(0, 10**7))
def test_a_verdict_s_link_is_read_back_until_its_time_is_over(
    match: int, verdict: str, reader: str, ahead: int
) -> None:
    until = NOW + timedelta(seconds=ahead)
    link = LINKS.verdict(match, verdict, reader, until)
    assert link is not None
    assert link.isascii()
    assert link.isprintable()
    assert " " not in link
    signed = {"match": str(match), "verdict": verdict, "reader": reader, "until": str(int(until.timestamp()))}
    assert LINKS.read("review", values(link), until) == signed
    with pytest.raises(LinkExpired, match="expired"):
        LINKS.read("review", values(link), until + timedelta(seconds=1))


@given(data=st.data(), number=numbers, reader=readers)
def test_whatever_is_changed_it_no_longer_holds(data: st.DataObject, number: int, reader: str) -> None:
    """Another value, another name, one more, one fewer, another action, another key."""
    true = values(LINKS.verdict(number, "confirmed", reader, NOW))
    forged, action, links = dict(true), "review", LINKS
    name = data.draw(st.sampled_from(sorted(true)))
    match data.draw(st.sampled_from(["value", "name", "more", "fewer", "action", "key"])):
        case "value":
            forged[name] = data.draw(st.text(max_size=50).filter(lambda text: text != true[name]))
        case "name":
            forged[name + "x"] = forged.pop(name)
        case "more":
            forged[data.draw(st.text(min_size=1, max_size=9).filter(lambda text: text not in true))] = "1"
        case "fewer":
            del forged[name]
        case "action":
            action = data.draw(st.sampled_from(ACTIONS))
        case "key":
            links = Links(BASE, KEY[:-1] + "x")
    with pytest.raises(LinkError, match="not whole"):
        links.read(action, forged, NOW)


@given(anything=st.dictionaries(st.text(max_size=9), st.text(max_size=50), max_size=5))
def test_nothing_that_is_made_up_holds_or_breaks_it(anything: dict[str, str]) -> None:
    with pytest.raises(LinkError):
        LINKS.read("unsubscribe", anything, NOW)
    with pytest.raises(LinkError):
        LINKS.read("unsubscribe", {"subscription": "1", "sign": "\ud800"}, NOW)


def test_values_cannot_run_into_one_another() -> None:
    """Whoever may choose an address can't make one link say what another does."""
    plain = values(LINKS.verdict(1, "rejected", "a@b.org", NOW))
    crafted = values(LINKS.verdict(1, "rejected", 'a@b.org"],["until","9"],["x","', NOW))
    assert plain["sign"] != crafted["sign"]
    again = dict(parse_qsl(urlencode({**plain, "reader": "a@b.org&until=9999999999"})))
    with pytest.raises(LinkError):
        LINKS.read("review", again, NOW)


def test_a_subscription_s_links_are_not_each_other_s() -> None:
    signs = [values(getattr(LINKS, action)(7))["sign"] for action in ACTIONS]
    assert len(set(signs)) == len(ACTIONS)


def test_without_an_address_there_are_none() -> None:
    none = Links(None, KEY)
    assert [getattr(none, action)(1) for action in ACTIONS] == [None] * 4
    assert none.verdict(1, "confirmed", "a@b.org", NOW) is None
    assert none.page("/claims/x") is None
    assert LINKS.page("/claims/x") == f"{BASE}/claims/x"
    assert Links(BASE + "/", KEY).unsubscribe(3) == LINKS.unsubscribe(3), "a slash more is no other address"
    assert none.read("unsubscribe", values(LINKS.unsubscribe(3)), NOW) == {"subscription": "3"}
