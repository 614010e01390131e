"""The desk as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from pipeline import __version__
from pipeline.clock import Clock
from pipeline.errors import ClaimwatchError
from pipeline.settings import Settings
from pipeline.web.desk import Desk
from pipeline.web.meaning import Meaning
from pipeline.web.pages import ROUTERS
from pipeline.web.render import FOLDER, page
from pipeline.web.security import Guard

log = structlog.get_logger()

SLOW = "that took too long: narrow the filters"
AWAY = "the database does not answer: `claimwatch status` on the server says more"


def create(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """The application. Raises ConfigurationError where it would be open to the network without a password."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.meaning.warm()  # so that the first search need not wait for the model
        yield
        app.state.desk.close()

    # Swagger's page loads scripts from elsewhere, which the policy forbids; /api has one of our own.
    app = FastAPI(
        title="claimwatch",
        version=__version__,
        summary="Claims, evidence, stories and figures, as the analysts' schema shows them.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        lifespan=lifespan,
    )
    app.state.desk = Desk(settings, clock)
    app.state.meaning = Meaning(settings.embed)
    app.state.guard = Guard(settings)
    app.state.guard.install(app)
    for router in ROUTERS:
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(psycopg.Error, _database)
    app.add_exception_handler(PoolTimeout, _database)
    app.add_exception_handler(ClaimwatchError, _mistake)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    said = {404: "there is no such page"}.get(error.status_code, str(error.detail))
    told = said if error.detail in ("Not Found", None) else str(error.detail)
    return _told(request, error.status_code, told, error.headers)


async def _unreadable(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    mistakes = [f"{e['loc'][-1]}: {e['msg']}" for e in error.errors()]
    return _told(request, 422, "; ".join(mistakes))


async def _database(request: Request, error: Exception) -> Response:
    if isinstance(error, psycopg.errors.QueryCanceled):
        return _told(request, 503, SLOW)
    # Our own functions, in words meant for people.
    if isinstance(error, psycopg.errors.RaiseException | psycopg.errors.NoDataFound):
        hint = error.diag.message_hint
        return _told(request, 404, f"{error.diag.message_primary}{f': {hint}' if hint else ''}")
    if isinstance(error, psycopg.OperationalError | PoolTimeout):
        log.warning("desk without database", error=type(error).__name__)
        return _told(request, 503, AWAY)
    if isinstance(error, psycopg.DataError):  # a number beyond bigint, a NUL byte
        return _told(request, 422, "that is no value the database could hold")
    log.error("desk", path=request.url.path, exc_info=error)
    return _told(request, 500, "something went wrong here; the log says what")


async def _mistake(request: Request, error: Exception) -> Response:
    return _told(request, 503, str(error))


def _told(request: Request, status: int, message: str, headers: object = None) -> Response:
    """As JSON to programs, as a page to people."""
    extra = headers if isinstance(headers, dict) else None
    if request.url.path.startswith("/api"):
        return JSONResponse({"error": message}, status_code=status, headers=extra)
    answer = page(request, "error.html", status, message=message, status_code=status)
    answer.headers.update(extra or {})
    return answer
