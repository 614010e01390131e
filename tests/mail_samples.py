"""Mails with invented content in several languages: for tests, and to be looked at (scripts/mailshots.py)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipeline.logic.coverage import Coverage
from pipeline.logic.mail import (
    AlertContent,
    DigestContent,
    Evidence,
    History,
    MailLinks,
    Moved,
    Report,
    Standing,
)
from pipeline.logic.tracking import Event

AT = datetime(2025, 1, 13, 6, 40, tzinfo=UTC)
DESK = "https://desk.example.org"
LINKS = MailLinks(
    f"{DESK}/claims/killed-in-kursk",
    f"{DESK}/mail/manage?subscription=7&sign=5f0c9a7be1d2430f8a6b9e35d1c47f02aa31b6c8",
    f"{DESK}/mail/unsubscribe?subscription=7&sign=9b1e6f3d20c84a57bb0d1f7c2e95a8d46f103c7b",
    f"{DESK}/mail/pause?subscription=7&sign=0d47c2b9ae5f4318c6e20b7f91d3a85be24c6f19",
)
CONFIRM = f"{DESK}/mail/confirm?subscription=7&sign=5f0c9a7be1d2430f8a6b9e35d1c47f02aa31b6c8"
# Day of the ninety, to stories.
STORIES = {3: 1, 9: 1, 20: 2, 24: 5, 25: 3, 26: 2, 33: 1, 40: 4, 52: 2, 60: 1, 74: 3, 88: 4}


def report(publisher: str, country: str, language: str, title: str, hours: float = 0, **changes: Any) -> Report:
    name = "".join(c for c in title.lower() if c.isalnum() and c.isascii())[:20] or f"{language}{abs(hours):g}"
    values = {
        "url": f"https://news.example/{country.lower()}/{name}?id=4711&from=feed",
        "published": AT + timedelta(hours=hours),
        "from_entry": False,
        "archived": f"{DESK}/articles/{1200 + int(hours)}?version=1",
    }
    return Report(publisher, country, language, title, **{**values, **changes})


def review(number: int) -> dict[str, str]:
    tail = "reader=desk%40example.org&until=1739400000&sign=c1f4e27d9a8b40536e7f12ab90cd34ef56a7b8c9"
    return {
        "confirm": f"{DESK}/mail/review?match={number}&verdict=confirmed&{tail}",
        "reject": f"{DESK}/mail/review?match={number}&verdict=rejected&{tail}",
    }


KOREAN = Evidence(
    "국정원은 쿠르스크에서 북한군 사망자가 약 600명에 이른다고 밝혔다.",
    "국회 정보위원회 비공개 회의가 13일 오전 열렸다. 국정원은 쿠르스크에서 북한군 사망자가 약 600명에 이른다고 밝혔다. "
    "두 달 전 보고에서는 약 300명이라고 했다. 부상자는 따로 집계하지 않았다고 덧붙였다.",
    "supports",
    0.97,
    [
        report("새벽일보", "KR", "ko", "국정원 “쿠르스크 북한군 600명 전사”"),
        report("Harbour Wire", "GB", "en", "Seoul's spy agency doubles its count of North Korean dead", 0.6),
        report("The Tide", "GB", "en", "About 600 North Koreans killed in Kursk, says NIS", 1.2),
        report("Вечерний вестник", "RU", "ru", "Сеул вдвое повысил оценку потерь КНДР", 2.1),
        report("صحيفة المرسى", "EG", "ar", "سيول: مقتل نحو 600 جندي كوري شمالي", 3.4),
    ],
    ("NIS",),
    why="sentence 2 of 4: killed + Kursk + North Korean soldiers",
    precision=0.91,
    labels=312,
    **review(17),
)
RUSSIAN = Evidence(
    "В Генштабе заявили, что никаких военных КНДР в Курской области не было и погибнуть они там не могли.",
    "Комментируя сообщения из Сеула, ведомство назвало их вбросом. В Генштабе заявили, что никаких военных КНДР в "
    "Курской области не было и погибнуть они там не могли. Других подробностей не привели.",
    "refutes",
    0.88,
    [report("Вечерний вестник", "RU", "ru", "В Генштабе опровергли сообщения о гибели военных КНДР", 4)],
    ("Russian General Staff",),
    why="sentence 2 of 3: denial + КНДР + Курская область",
    precision=0.91,
    labels=312,
    **review(18),
)
ARABIC = Evidence(
    "قالت الوكالة إن نحو 600 جندي كوري شمالي قتلوا في كورسك منذ ديسمبر.",
    "عقد البرلمان جلسة مغلقة صباح الاثنين. قالت الوكالة إن نحو 600 جندي كوري شمالي قتلوا في كورسك منذ ديسمبر. "
    "ولم تذكر عدد الجرحى.",
    "supports",
    0.83,
    [report("صحيفة المرسى", "EG", "ar", "سيول: مقتل نحو 600 جندي كوري شمالي", 3.4)],
    ("NIS",),
    why="sentence 2 of 3",
    precision=0.91,
    labels=312,
    **review(19),
)
ENGLISH = Evidence(
    "Ten thousand shells a month now cross the bridge, two officials said, twice what they counted in October.",
    "The trains run at night. Ten thousand shells a month now cross the bridge, two officials said, twice what they "
    "counted in October. Neither would say how the number was reached.",
    "updates",
    0.79,
    [report("The Tide", "GB", "en", "Twice the trains, twice the shells", -20)],
    ("Western officials",),
)
FIGURES = (
    Standing("NIS", "killed", "about 600", date(2025, 1, 13), "about 300"),
    Standing("President of Ukraine", "killed", "over 3,000", date(2024, 12, 23)),
    Standing("ROK JCS", "killed_and_wounded", "about 1,100", date(2024, 12, 23)),
)
MAXIMUM = Event(
    "new_maximum",
    "killed/600",
    "killed: about 600 (NIS), more than any before; the most was about 300 (NIS)",
    "NIS now says about 600 killed, was about 300",
)
FRESH = Event("fresh_coverage", "41", "quiet for 9 days before this", "new report after 9 days of quiet")
DENIAL = Event(
    "contradiction",
    "first/refutes",
    "first report that denies it, by Вечерний вестник, after 9 publisher families that support it",
    "first denial, by Вечерний вестник",
)
SURGE = Event("surge", "52", "6 stories within a day, 9 times its usual 0.65 a day", "6 stories within a day")
SILENCE = Event(
    "silence",
    "39",
    "no story for 12 days on which feeds were read; with its usual rhythm one was to be expected every 2 days",
    "no story for 12 days",
)


def history() -> History:
    return History(AT.date(), [(AT.date() - timedelta(days=90 - day), count) for day, count in STORIES.items()])


def alert_content(**changes: Any) -> AlertContent:
    values: dict[str, Any] = {
        "events": [FRESH, MAXIMUM],
        "claim_id": "killed-in-kursk",
        "statement": "North Korean soldiers have been killed in Russia's Kursk region.",
        "evidence": [KOREAN],
        "coverage": Coverage(31, 84, 19, 12, 5, AT - timedelta(days=87), AT),
        "title": "Killed in Kursk",
        "known": Coverage(30, 79, 18, 12, 5, AT - timedelta(days=87), AT - timedelta(days=9)),
        "figures": FIGURES,
        "held": [SURGE],
        "links": LINKS,
        "zone": "Asia/Seoul",
        "history": history(),
    }
    return AlertContent(**{**values, **changes})


def denied() -> AlertContent:
    """Evidence in three scripts, and the evidence has turned."""
    return alert_content(events=[DENIAL, MAXIMUM], evidence=[KOREAN, ARABIC, RUSSIAN])


def silent() -> AlertContent:
    return alert_content(events=[SILENCE], evidence=[], held=[], known=None)


def digest_content(**changes: Any) -> DigestContent:
    values: dict[str, Any] = {
        "rhythm": "daily",
        "scope": "North Korea in Russia's war",
        "since": AT - timedelta(days=1, hours=7, minutes=40),
        "until": AT - timedelta(hours=7, minutes=40) + timedelta(hours=8),
        "moved": [
            Moved(
                "munitions",
                "Shells by rail",
                "North Korea sends shells to Russia by rail.",
                [Event("fresh_coverage", "44", "quiet for 30 hours before this", "new report after 30 hours of quiet")],
                ENGLISH,
                Coverage(12, 20, 9, 7, 3, AT - timedelta(days=80), AT),
                1,
                f"{DESK}/claims/munitions",
            ),
            Moved(
                "killed-in-kursk",
                "Killed in Kursk",
                "North Korean soldiers have been killed in Russia's Kursk region.",
                [MAXIMUM, DENIAL, SURGE],
                RUSSIAN,
                Coverage(31, 84, 19, 12, 5, AT - timedelta(days=87), AT),
                6,
                f"{DESK}/claims/killed-in-kursk",
            ),
            Moved(
                "captured",
                "Taken prisoner",
                "North Korean soldiers have been taken prisoner.",
                [Event("first_seen", "", "the first report we have seen")],
                ARABIC,
                Coverage(1, 1, 1, 1, 1, AT, AT),
                1,
                f"{DESK}/claims/captured",
            ),
            Moved(
                "training",
                "Trained in the Far East",
                "North Korean soldiers were trained in Russia's Far East.",
                [SILENCE],
                None,
                Coverage(14, 31, 12, 9, 4, AT - timedelta(days=85), AT - timedelta(days=12)),
                0,
                f"{DESK}/claims/training",
            ),
        ],
        "quiet": ["Over 10,000 troops", "Workers in arms plants", "Cheap manpower", "Combat experience", "Drone lines"],
        "health": ["3 feeds have been down since Tuesday, 7 January: 새벽일보, Harbour Wire, The Tide"],
        "links": MailLinks(None, LINKS.manage, LINKS.unsubscribe, LINKS.pause),
        "zone": "Europe/Berlin",
    }
    return DigestContent(**{**values, **changes})
