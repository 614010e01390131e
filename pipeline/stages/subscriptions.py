"""subscriptions: who is told of what; every way in checks the same things."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo, available_timezones

from pipeline.adapters.database import Connection, row
from pipeline.errors import ConfigurationError
from pipeline.logic import news
from pipeline.logic.news import Wishes
from pipeline.settings import Settings, is_mail_address

PLAIN = Wishes()  # instant, whatever the hour


def add_subscription(
    conn: Connection,
    email: str,
    now: datetime,
    wishes: Wishes = PLAIN,
    *,
    channel: str = "mail",
    claim_id: str | None = None,
    topic_id: str | None = None,
) -> int | None:
    """A subscription that counts as confirmed: its number, or None where there is one like it."""
    added = row(
        conn,
        "alerts.subscribe",
        email=email,
        channel=channel,
        claim_id=claim_id,
        topic_id=topic_id,
        rhythm=wishes.rhythm,
        hour=wishes.hour,
        weekday=wishes.weekday,
        timezone=wishes.zone,
        quiet_from=wishes.quiet_from,
        quiet_until=wishes.quiet_until,
        min_probability=wishes.min_probability,
        languages=sorted(wishes.languages) if wishes.languages else None,
        now=now,
        next_digest_at=None if wishes.rhythm == "instant" else news.next_digest(wishes, now),
    )
    return None if added is None else int(added.subscription_id)


def check_reader(settings: Settings, email: str, channel: str) -> None:
    """Raises ConfigurationError where nothing could reach the reader."""
    if channel == "mail" and not is_mail_address(email):
        raise ConfigurationError(f"{email!r} is not a mail address")
    if channel == "service" and email not in settings.alerts.services:
        known = ", ".join(sorted(settings.alerts.services)) or "none is set"
        raise ConfigurationError(f"no service is called {email!r} in [alerts.services]: {known}")


def zone(name: str) -> str:
    """A time zone's name as the IANA spells it. Raises ConfigurationError."""
    known = {zone.lower(): zone for zone in available_timezones()}
    if name.lower() not in known:
        raise ConfigurationError(f"{name!r} is not a time zone; write it like Europe/Berlin or Asia/Seoul")
    return str(ZoneInfo(known[name.lower()]))


def quiet_hours(text: str) -> tuple[time, time]:
    """ "22:00-07:00" as two times on the reader's clock. Raises ConfigurationError."""
    begin, dash, end = text.replace("–", "-").partition("-")
    try:
        if not dash:
            raise ValueError
        hours = time.fromisoformat(begin.strip().zfill(5)), time.fromisoformat(end.strip().zfill(5))
    except ValueError:
        raise ConfigurationError(f"{text!r} are no quiet hours; write them like 22:00-07:00") from None
    if hours[0] == hours[1]:
        raise ConfigurationError(f"{text!r} would be the whole day: pause the subscription instead")
    return hours
