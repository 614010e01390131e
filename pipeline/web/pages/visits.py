"""Logging in and out, and a line for whoever watches whether the desk is up."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from pipeline.web.pages.common import DeskOf
from pipeline.web.render import page
from pipeline.web.security import check_form, local_path

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
def healthz(desk: DeskOf) -> PlainTextResponse:
    """ok, where the database answers; holds nothing of ours."""
    desk.row("desk.alive")
    return PlainTextResponse("ok\n")


@router.get("/login")
def ask(request: Request, wanted: Annotated[str, Query(alias="next", max_length=2000)] = "/") -> Response:
    if not request.app.state.guard.closed:
        return RedirectResponse("/", 303)
    return page(request, "login.html", wanted=local_path(wanted), wrong=False)


@router.post("/login")
def log_in(
    request: Request,
    password: Annotated[str, Form(max_length=1000)],
    wanted: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    if request.app.state.guard.log_in(request, password):
        return RedirectResponse(local_path(wanted), 303)
    return page(request, "login.html", 403, wanted=local_path(wanted), wrong=True)


@router.post("/logout")
def log_out(request: Request, token: Annotated[str, Form(max_length=100)]) -> Response:
    check_form(request, token)
    request.session.clear()
    return RedirectResponse("/login", 303)
