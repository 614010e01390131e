"""Who is told of what: asking for news, changing what one gets, pausing and ending it.

A subscription that is made here is not in force before its reader has said yes, by the link in a mail (pages/mail.py).
Addresses are personal: the pages show a part of each, and find those of an address that the visitor knows.
"""

from __future__ import annotations

from itertools import groupby
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Form, HTTPException, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from pipeline.errors import ConfigurationError
from pipeline.web.desk import Desk
from pipeline.web.filters import PAGE
from pipeline.web.pages.common import DeskOf
from pipeline.web.pages.stories import Number
from pipeline.web.render import page
from pipeline.web.security import check_form
from pipeline.web.wishes import PAUSES, RHYTHMS, WEEKDAYS, Line, Wished, pause_end, zones

router = APIRouter(include_in_schema=False)

LATEST = 30  # decisions and messages on a subscription's own page
SAID = {
    "asked": "A mail is on its way that asks whether this is wanted. Nothing else is sent before the answer.",
    "changed": "Changed.",
    "paused": "Paused.",
    "resumed": "It goes on.",
    "ended": "Ended: nothing is sent for it any more.",
}

Short = Annotated[str, Query(max_length=200)]
Token = Annotated[str, Form(max_length=100)]


class Asked(Wished):
    """The form for a new one. `about` is empty, topic:NAME or claim:NAME."""

    token: str = Field(max_length=100)
    email: str = Field(default="", max_length=320)
    about: str = Field(default="", max_length=300)

    @property
    def subject(self) -> dict[str, str | None]:
        kind, _, name = self.about.partition(":")
        return {"claim": name if kind == "claim" else None, "topic": name if kind == "topic" else None}


class Changed(Wished):
    token: str = Field(max_length=100)


@router.get("/subscriptions")
def subscriptions(
    request: Request,
    desk: DeskOf,
    reader: Annotated[str, Query(max_length=320)] = "",
    claim: Short = "",
    topic: Short = "",
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    about = f"claim:{claim}" if claim else f"topic:{topic}" if topic else ""
    return _listed(request, desk, Asked(token="", about=about), reader=reader.strip(), number=number)


@router.post("/subscriptions")
def subscribe(request: Request, desk: DeskOf, asked: Annotated[Asked, Form()]) -> Response:
    """A mail asks the reader; without a public address there would be no link to answer by."""
    check_form(request, asked.token)
    if desk.settings.web.public_url is None:
        raise HTTPException(409, "no public address is set, so no mail could ask: set [web] public_url")
    try:
        added = desk.trusted(
            "desk_subscriptions.subscribe",
            **asked.values(),
            **asked.subject,
            email=asked.email,
            sender_domain=desk.settings.mail.domain,
            now=desk.now(),
        )
    except (ConfigurationError, psycopg.errors.RaiseException) as error:
        return _listed(request, desk, asked, refused=why(error), status=422)
    request.session["subscription"] = "asked"
    return RedirectResponse(f"/subscriptions/{added[0].subscription_id}", 303)


@router.get("/subscriptions/{subscription}")
def one(request: Request, desk: DeskOf, subscription: Number) -> Response:
    found = known(desk, subscription)
    return _shown(request, desk, found, Wished.of(found))


@router.post("/subscriptions/{subscription}")
def change(request: Request, desk: DeskOf, subscription: Number, changed: Annotated[Changed, Form()]) -> Response:
    check_form(request, changed.token)
    try:
        desk.trusted("desk_subscriptions.change", subscription=subscription, now=desk.now(), **changed.values())
    except (ConfigurationError, psycopg.errors.RaiseException) as error:
        return _shown(request, desk, known(desk, subscription), changed, refused=why(error), status=422)
    return _done(request, subscription, "changed")


@router.post("/subscriptions/{subscription}/pause")
def pause(
    request: Request, desk: DeskOf, subscription: Number, token: Token, days: Annotated[int, Form(ge=0, le=365)]
) -> Response:
    """No days: it goes on."""
    check_form(request, token)
    now = desk.now()
    desk.trusted("desk_subscriptions.pause", subscription=subscription, until=pause_end(days, now), now=now)
    return _done(request, subscription, "paused" if days else "resumed")


@router.post("/subscriptions/{subscription}/end")
def end(request: Request, desk: DeskOf, subscription: Number, token: Token) -> Response:
    check_form(request, token)
    desk.trusted("desk_subscriptions.end", subscription=subscription, now=desk.now())
    return _done(request, subscription, "ended")


def known(desk: Desk, subscription: int) -> Any:
    """The subscription, ended or not; else 404."""
    found = desk.trusted("desk_subscriptions.one", subscription=subscription)
    if not found:
        raise HTTPException(404, f"there is no subscription {subscription}")
    return found[0]


def why(error: Exception) -> str:
    """What was wrong with a form, in words."""
    if isinstance(error, psycopg.Error):
        hint = error.diag.message_hint
        return f"{error.diag.message_primary}.{f' {hint}' if hint else ''}"
    return f"{error}."


def form_values(desk: Desk, wished: Wished) -> dict[str, Any]:
    """What the form of wishes needs beside them."""
    spoken = desk.row("desk_feeds.summary").languages or []
    return {
        "wished": wished,
        "rhythms": RHYTHMS,
        "weekdays": WEEKDAYS,
        "zones": zones(),
        "languages": sorted({*spoken, *wished.languages}),
        "pauses": PAUSES,
    }


def _listed(
    request: Request,
    desk: Desk,
    asked: Asked,
    *,
    reader: str = "",
    number: int = 1,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    found = desk.trusted("desk_subscriptions.all", reader=reader or None, most=PAGE, skipped=(number - 1) * PAGE)
    choices = desk.rows("desk_subscriptions.choices")
    now = desk.now()
    return page(
        request,
        "subscriptions.html",
        status,
        lines=[Line(r, now) for r in found],
        total=found[0].total if found else 0,
        pages=-(-found[0].total // PAGE) if found else 1,
        number=number,
        reader=reader,
        asked=asked,
        topics=[(topic, list(claims)) for topic, claims in groupby(choices, key=lambda c: c.topic)],
        public=desk.settings.web.public_url is not None,
        refused=refused,
        **form_values(desk, asked),
    )


def _shown(
    request: Request, desk: Desk, found: Any, wished: Wished, *, refused: str | None = None, status: int = 200
) -> Response:
    number = found.subscription_id
    return page(
        request,
        "subscription.html",
        status,
        line=Line(found, desk.now()),
        decisions=desk.rows("desk_subscriptions.decisions", subscription=number, most=LATEST),
        messages=desk.rows("desk_subscriptions.messages", subscription=number, most=LATEST),
        said=SAID.get(str(request.session.pop("subscription", ""))),
        refused=refused,
        **form_values(desk, wished),
    )


def _done(request: Request, subscription: int, said: str) -> Response:
    request.session["subscription"] = said
    return RedirectResponse(f"/subscriptions/{subscription}", 303)
