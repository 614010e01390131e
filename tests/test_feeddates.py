"""Dates as feeds write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.logic.feeddates import read

NINE_IN_SEOUL = datetime(2024, 11, 1, tzinfo=UTC)
NINE = datetime(2024, 11, 1, 9, tzinfo=UTC)
MIDNIGHT = datetime(2024, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "Fri, 01 Nov 2024 09:00:00 +0900",
        "Fri, 01 Nov 2024 09:00:00 KST",
        "Fri, 1 Nov 2024 9:00 JST",
        "Fri, 01 Nov 2024 09:00:00 GMT+0900",
        "Fri, 01 Nov 2024 09:00:00 GMT+09:00",
        "Fri,01 Nov 2024 09:00:00 +0900",
        "Пт, 01 ноя 2024 03:00:00 +0300",
        "1 листопада 2024 р., 02:00 EET",
        "1 ноября 2024 г. 03:00 MSK",
        "ven., 1 novembre 2024 01:00:00 CET",
        "Thu, 31 Oct 2024 24:00:00 GMT",
        "Thu, 31 Oct 24 20:00:00 EDT",
        "Fri Nov 01 09:00:00 KST 2024",
        "Nov 1, 2024 12:00 AM",
        "November 1, 2024",
        "1 November 2024",
        "2024-11-01T09:00:00+09:00",
        "2024-11-01T09:00:00.1234567+09:00",
        "2024-11-01 09:00:00 KST",
        "2024-11-01 09:00:00 +0900",
        "2024-11-01T09:00+09",
        "2024/11/01 00:00",
        "2024.11.01.",
        "01.11.2024 00:00",
        "20241101",
        "20241101000000",
        "1730419200",
        "1730419200000",
    ],
)
def test_forms(value: str) -> None:
    assert read(value) == NINE_IN_SEOUL == MIDNIGHT


@pytest.mark.parametrize(
    ("value", "language", "expected"),
    [
        ("2024-11-01 09:00:00", None, NINE),
        ("2024-11-01 09:00:00", "en", NINE),
        ("2024-11-01 09:00:00", "ko", NINE_IN_SEOUL),
        ("2024년 11월 1일 오전 9:00", "ko", NINE_IN_SEOUL),
        ("2024년 11월 1일 (금) 오후 9시 30분", "ko", datetime(2024, 11, 1, 12, 30, tzinfo=UTC)),
        ("2024-11-01 오후 12:10:00", "ko", datetime(2024, 11, 1, 3, 10, tzinfo=UTC)),
        ("2024年11月1日 08:00", "zh", NINE_IN_SEOUL),
        ("2024-11-01T09:00:00Z", "ko", NINE),
        ("Fri, 01 Nov 2024 09:00:00", "ja", NINE_IN_SEOUL),
        ("Fri, 01 Nov 2024 08:00:00 CST", "zh", NINE_IN_SEOUL),
        ("Fri, 01 Nov 2024 08:00:00 CST", "en", datetime(2024, 11, 1, 14, tzinfo=UTC)),
        ("2024-11-01", "ko", MIDNIGHT),
    ],
)
def test_where_a_time_without_zone_is(value: str, language: str | None, expected: datetime) -> None:
    assert read(value, language) == expected


@pytest.mark.parametrize(
    "value",
    [
        "", "yesterday", "2024", "11/01/2024", "2024-13-01", "2024-11-31 10:00", "Fri, 99 Foo 2024 99:99:99 GMT",
        "0000-00-00 00:00:00", "0001-01-01T00:00:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01 09:00:00 +0900",
        "x" * 5000, None, 17, "9999-12-31T23:59:59-23:00", "2024-11-01T09:00:00+99:99",
    ],
)  # fmt: skip
def test_what_is_no_date(value: object) -> None:
    assert read(value) is None


@given(st.text(alphabet="0123456789-:/. TZ+APMnovКирян年月日오전,()", max_size=40))
@settings(max_examples=500, deadline=None)
def test_never_fails(value: str) -> None:
    found = read(value, "ko")
    assert found is None or found.tzinfo is UTC


@given(st.integers(min_value=400_000_000, max_value=7_000_000_000))
@settings(max_examples=200, deadline=None)
def test_isoformat_is_read_back(seconds: int) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert read(moment.isoformat()) == moment
    assert read(moment.strftime("%Y-%m-%dT%H:%M:%SZ")) == moment
