"""What the signed links in mails lead to: open without a password, since who holds a link has the right that it names.

Mail scanners follow every link, so that looking at one changes nothing: each page says what would happen, and one
button does it. A mailbox that offers to unsubscribe sends that POST by itself (RFC 8058), without cookie or form token.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Form, HTTPException, Request, Response

from pipeline.errors import ConfigurationError
from pipeline.logic.links import LinkError, LinkExpired
from pipeline.web.desk import Desk
from pipeline.web.pages.common import DeskOf
from pipeline.web.pages.reviews import STATEMENTS
from pipeline.web.pages.subscriptions import form_values, known, why
from pipeline.web.render import page
from pipeline.web.wishes import PAUSES, Line, Wished, pause_end

router = APIRouter(prefix="/mail", include_in_schema=False)

BUTTONS = {"confirmed": "Yes, confirm it", "rejected": "No, reject it"}
GONE = "This subscription has ended: nothing is sent for it any more."


def looking(path: str) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """A page to look at; HEAD is answered too, since that is how some scanners ask."""
    return router.api_route(path, methods=["GET", "HEAD"])


@looking("/confirm")
def ask_confirm(request: Request, desk: DeskOf) -> Response:
    line = _subscription(request, desk, "confirm")
    if line.row.confirmed_at is not None:
        return _told(request, "You have said yes already", "Nothing is left to do here.", line, 410)
    return _asked(request, "Do you want this?", "Nothing is sent before you say yes.", "Yes, send it", line)


@router.post("/confirm")
def confirm(request: Request, desk: DeskOf) -> Response:
    line = _subscription(request, desk, "confirm")
    desk.trusted("desk_subscriptions.confirm", subscription=line.row.subscription_id, now=desk.now())
    return _told(request, "Thank you", "You will hear of what happens from now on.", line, manage=_manage(desk, line))


@looking("/unsubscribe")
def ask_unsubscribe(request: Request, desk: DeskOf) -> Response:
    line = _subscription(request, desk, "unsubscribe")
    return _asked(request, "End this subscription?", "Nothing more is sent for it.", "End it", line)


@router.post("/unsubscribe")
def unsubscribe(request: Request, desk: DeskOf) -> Response:
    """By our button or by a mailbox's own, whatever it sends along; twice is as good as once."""
    line = _subscription(request, desk, "unsubscribe", ended=True)
    desk.trusted("desk_subscriptions.end", subscription=line.row.subscription_id, now=desk.now())
    return _told(request, "Ended", GONE, line)


@looking("/pause")
def ask_pause(request: Request, desk: DeskOf) -> Response:
    line = _subscription(request, desk, "pause")
    if line.paused:
        return _asked(request, "Go on?", f"Nothing is sent before {line.paused_until}.", "Go on now", line, days=0)
    return _asked(
        request, "Pause this subscription?", "What happens meanwhile is not sent later.", "Pause", line, pauses=PAUSES
    )


@router.post("/pause")
def pause(request: Request, desk: DeskOf, days: Annotated[int, Form(ge=0, le=365)] = 7) -> Response:
    line, now = _subscription(request, desk, "pause"), desk.now()
    until = pause_end(days, now)
    desk.trusted("desk_subscriptions.pause", subscription=line.row.subscription_id, until=until, now=now)
    if until is None:
        return _told(request, "It goes on", "You will hear of what happens from now on.", line)
    return _told(request, "Paused", f"Nothing is sent before {line.local(until)}. The same link ends the pause.", line)


@looking("/manage")
def ask_manage(request: Request, desk: DeskOf) -> Response:
    line = _subscription(request, desk, "manage")
    return _managed(request, desk, line, Wished.of(line.row))


@router.post("/manage")
def manage(request: Request, desk: DeskOf, wished: Annotated[Wished, Form()]) -> Response:
    line = _subscription(request, desk, "manage")
    number = line.row.subscription_id
    try:
        desk.trusted("desk_subscriptions.change", subscription=number, now=desk.now(), **wished.values())
    except (ConfigurationError, psycopg.errors.RaiseException) as error:
        return _managed(request, desk, line, wished, refused=why(error), status=422)
    line = _subscription(request, desk, "manage")
    return _managed(request, desk, line, Wished.of(line.row), said="Changed.")


@looking("/review")
def ask_review(request: Request, desk: DeskOf) -> Response:
    signed, found = _match(request, desk)
    verdict = signed["verdict"]
    if found.verdict == verdict:
        return _reviewed(request, found, "That has been said already", "Nothing is left to do here.", 410)
    return _reviewed(request, found, "Does this bear on the claim?", _stands(found), button=BUTTONS[verdict])


@router.post("/review")
def review(request: Request, desk: DeskOf) -> Response:
    """As any reviewer's word; the note says whose mail it came by, and the latest word counts."""
    signed, found = _match(request, desk)
    verdict = signed["verdict"]
    if found.verdict != verdict:  # pressed twice, it is said once
        values: dict[str, Any] = {
            "match": found.match_id,
            "note": f"by the link in a mail to {masked(signed['reader'])}",
        }
        if verdict == "confirmed":
            values["stance"] = None
        desk.trusted(STATEMENTS[verdict], **values)
    return _reviewed(
        request,
        found,
        "Confirmed" if verdict == "confirmed" else "Rejected",
        "Thank you: it counts from now on, and the desk can take it back.",
    )


def masked(address: str) -> str:
    """As analysis.subscriptions shows it: a review is read by all analysts."""
    return re.sub(r"^(.).*(@[^@]*)$", r"\1…\2", address, flags=re.DOTALL)


def _signed(request: Request, desk: Desk, action: str) -> dict[str, str]:
    """The link's values; 403 where we did not sign them, 410 where their time is over."""
    try:
        return desk.links.read(action, request.query_params, desk.now())
    except LinkError as error:
        raise HTTPException(410 if isinstance(error, LinkExpired) else 403, str(error)) from None


def _subscription(request: Request, desk: Desk, action: str, *, ended: bool = False) -> Line:
    """The subscription of a link; 410 where it has ended, unless that is no matter."""
    found = known(desk, int(_signed(request, desk, action)["subscription"]))
    if found.ended_at is not None and not ended:
        raise HTTPException(410, GONE)
    return Line(found, desk.now())


def _match(request: Request, desk: Desk) -> tuple[dict[str, str], Any]:
    signed = _signed(request, desk, "review")
    found = desk.row("desk_subscriptions.match", match=int(signed["match"]))
    if found is None:
        raise HTTPException(404, "the match of this link is no longer kept")
    return signed, found


def _stands(found: Any) -> str:
    if found.verdict is None:
        return "No reviewer has said anything yet."
    return f"A reviewer has {found.verdict} it on {found.reviewed_at:%-d %b %Y}; your word would count instead."


def _manage(desk: Desk, line: Line) -> str:
    return desk.links.address("manage", line.row.subscription_id)


def _asked(
    request: Request, title: str, text: str, button: str, line: Line, *, pauses: Any = None, days: int | None = None
) -> Response:
    return _page(request, title, text, line=line, button=button, pauses=pauses, days=days)


def _told(
    request: Request, title: str, text: str, line: Line, status: int = 200, *, manage: str | None = None
) -> Response:
    return _page(request, title, text, status, line=line, manage=manage)


def _reviewed(
    request: Request, found: Any, title: str, text: str, status: int = 200, *, button: str | None = None
) -> Response:
    return _page(request, title, text, status, match=found, button=button)


def _page(request: Request, title: str, text: str, status: int = 200, **values: Any) -> Response:
    given = {"line": None, "match": None, "button": None, "pauses": None, "days": None, "manage": None} | values
    return page(request, "mail.html", status, title=title, text=text, here=_here(request), **given)


def _managed(
    request: Request,
    desk: Desk,
    line: Line,
    wished: Wished,
    *,
    said: str | None = None,
    refused: str | None = None,
    status: int = 200,
) -> Response:
    pause, end = (desk.links.address(action, line.row.subscription_id) for action in ("pause", "unsubscribe"))
    return page(
        request,
        "mail_manage.html",
        status,
        line=line,
        here=_here(request),
        pause=pause,
        end=end,
        said=said,
        refused=refused,
        **form_values(desk, wished),
    )


def _here(request: Request) -> str:
    """The link itself, for the button to send to."""
    return f"{request.url.path}?{request.url.query}"
