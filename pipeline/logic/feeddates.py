"""Dates as feeds write them, in the many ways that no specification foresaw.

feedparser reads most of them, but it takes zones that it has no name for (KST, MSK, CET) for Greenwich, drops the time
of what it can't read to the end, and takes a count of seconds for a year. So these forms are read here first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_HOURS = {
    "utc": 0, "gmt": 0, "z": 0, "ut": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "cest": 2, "met": 1, "mest": 2,
    "eet": 2, "eest": 3, "sast": 2, "msk": 3, "msd": 4, "trt": 3, "gst": 4, "ist": 5.5, "pkt": 5, "ict": 7, "wib": 7,
    "hkt": 8, "sgt": 8, "myt": 8, "pht": 8, "awst": 8, "kst": 9, "jst": 9, "yakt": 9, "vlat": 10, "aest": 10,
    "aedt": 11, "nzst": 12, "nzdt": 13, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "brt": -3, "art": -3,
}  # fmt: skip
# Where a language is written in one time zone, a time without zone is a time there.
_AT_HOME = {"ko": 9.0, "ja": 9.0, "zh": 8.0}

_MONTH_NAMES = (
    "january jan janvier janv января янв январь січня січ january enero",
    "february feb février févr fév февраля фев февр лютого лют febrero",
    "march mar mars марта мар март березня бер marzo",
    "april apr avril avr апреля апр апрель квітня кві квіт abril",
    "may mai мая май травня тра трав mayo",
    "june jun juin июня июн июнь червня чер черв junio",
    "july jul juillet juil июля июл июль липня лип julio",
    "august aug août août августа авг август серпня сер серп agosto",
    "september sep sept septembre сентября сен сент вересня вер верес septiembre",
    "october oct octobre октября окт жовтня жов жовт octubre",
    "november nov novembre ноября ноя нояб листопада лис лист noviembre",
    "december dec décembre déc декабря дек грудня гру груд diciembre",
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}

_ZONE = r"(?:(?:GMT|UTC)?\s*(?P<offset>[+-]\d{1,2}:?\d{2}|[+-]\d{2})|\(?(?P<zone>[A-Za-z]{1,5})\)?)"
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
_TIME = rf"{_CLOCK}\s*(?P<half>[AP]\.?M\.?\b)?\s*{_ZONE}?"
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        # 2024-11-01T09:00:00+09:00, 2024/11/01 09:00
        rf"(?P<year>\d{{4}})[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})\.?(?:[T\s,]+{_TIME})?",
        # Fri, 01 Nov 2024 09:00:00 +0900; the weekday in any language
        r"(?:[^\W\d]+\.?,?\s*)?(?P<day>\d{1,2})(?:st|nd|rd|th|\.)?[\s-]+(?P<name>[^\W\d]+)\.?,?[\s-]+(?P<year>\d{4}|\d{2})"
        rf"(?:\s*г\.?|\s*р\.?)?(?:[\s,T]+{_TIME})?(?:\s*\([^)]*\))?",
        # Nov 1, 2024 9:00 AM
        rf"(?:[^\W\d]+\.?,\s*)?(?P<name>[^\W\d]+)\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,\s*(?P<year>\d{{4}})(?:[\s,@-]+{_TIME})?",
        # Fri Nov 01 09:00:00 KST 2024
        rf"[^\W\d]+\.?,?\s+(?P<name>[^\W\d]+)\s+(?P<day>\d{{1,2}})\s+{_TIME}\s+(?P<year>\d{{4}})",
        # 2024년 11월 1일 오후 9:00
        r"(?P<year>\d{4})\s*[년年]\s*(?P<month>\d{1,2})\s*[월月]\s*(?P<day>\d{1,2})\s*[일日]\s*(?:\([^)]*\)\s*)?"
        r"(?:(?P<asian>오전|오후|午前|午後|上午|下午)?\s*(?P<hour>\d{1,2})\s*[:시時时点]\s*(?P<minute>\d{2})?[분分]?"
        rf"(?::(?P<second>\d{{2}}))?\s*{_ZONE}?)?",
        # 2024-11-01 오전 9:00:00
        r"(?P<year>\d{4})[-/.]\s*(?P<month>\d{1,2})[-/.]\s*(?P<day>\d{1,2})\.?\s+(?P<asian>오전|오후|午前|午後|上午|下午)"
        r"\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?",
        # 01.11.2024 09:00
        rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}})(?:[\s,]+{_TIME})?",
        # 20241101090000
        r"(?P<year>(?:19|20)\d\d)(?P<month>[01]\d)(?P<day>[0-3]\d)(?:T?(?P<hour>[0-2]\d)(?P<minute>[0-5]\d)"
        rf"(?P<second>[0-5]\d)\s*{_ZONE}?)?",
    )
)
_SECONDS = re.compile(r"1\d{9}(\d{3})?")
_LONGEST = 60  # characters; what is longer is no date


def read(value: object, language: str | None = None) -> datetime | None:
    """The moment that a date names, in UTC; None where the form is not known or the date can't be meant.

    `language` is that of the feed: it says where a time without zone is, for Korean, Japanese and Chinese.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    value = value.strip()
    if seconds := _SECONDS.fullmatch(value):
        return datetime.fromtimestamp(int(value) / (1000 if seconds.group(1) else 1), UTC)
    for form in _FORMS:
        if found := form.fullmatch(value):
            return _moment(found.groupdict(), language)
    return None


def plausible(moment: datetime) -> datetime | None:
    """None for what stands for no date at all: year 1, the beginning of Unix time."""
    if moment.year < 1900 or abs(moment - datetime(1970, 1, 1, tzinfo=UTC)) <= timedelta(hours=14):
        return None
    return moment


def _moment(parts: dict[str, str | None], language: str | None) -> datetime | None:
    month = int(parts["month"] or 0) if parts.get("month") else _MONTHS.get((parts.get("name") or "").lower(), 0)
    year = int(parts["year"] or 0)
    if len(parts["year"] or "") == 2:
        year += 2000 if year < 70 else 1900
    hour = int(parts.get("hour") or 0)
    if half := (parts.get("half") or parts.get("asian") or "").lower():
        afternoon = half.startswith("p") or half in ("오후", "午後", "下午")
        hour = hour % 12 + 12 * afternoon if hour <= 12 else hour
    day_after = hour == 24
    try:
        local = datetime(
            year,
            month,
            int(parts["day"] or 0),
            0 if day_after else hour,
            int(parts.get("minute") or 0),
            min(int(parts.get("second") or 0), 59),
            tzinfo=timezone(_offset(parts, language, timed=bool(parts.get("hour")))),
        )
        return plausible((local + timedelta(days=day_after)).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _offset(parts: dict[str, str | None], language: str | None, *, timed: bool) -> timedelta:
    if stated := parts.get("offset"):
        digits = stated[1:].replace(":", "")
        hours, minutes = (digits, "0") if len(digits) <= 2 else (digits[:-2], digits[-2:])
        distance = timedelta(hours=int(hours), minutes=int(minutes))
        return -distance if stated[0] == "-" else distance
    name = (parts.get("zone") or "").lower()
    if name == "cst" and language == "zh":
        return timedelta(hours=8)
    if name in _HOURS:
        return timedelta(hours=_HOURS[name])
    return timedelta(hours=_AT_HOME.get(language or "", 0) if timed else 0)
