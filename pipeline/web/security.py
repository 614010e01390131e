"""Who may look, and what a browser may do with our pages.

Without a password or token the desk answers on this machine only, and only under this machine's names: a site that
points its own name at 127.0.0.1 (DNS rebinding) gets nothing. A form's answer counts if it carries the session's token
and does not come from another site.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

from pipeline.adapters.secretfile import stored_secret
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings, WebSettings

STAYS = 14 * 86400  # seconds that a login holds after the last visit
TRIES, WINDOW = 10, 60.0  # wrong passwords in so many seconds, of all visitors together, until nobody is asked
FEED = "events.atom"  # of a claim
# Shown to anybody: what holds nothing of ours, and what a mail's signed links lead to (pages/mail.py).
OPEN = ("/login", "/static/", "/healthz", "/mail/")

# Nothing from elsewhere, nothing inline: a script tag that got through the escaping would still not run.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # a linked paper must not learn which claim led to it
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

Next = Callable[[Request], Awaitable[Response]]


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check(web: WebSettings) -> None:
    """Raises ConfigurationError where the desk would be open to the network without a password."""
    if not is_loopback(web.host) and web.password is None and web.token is None:
        raise ConfigurationError(
            f"[web] host = {web.host!r} would show the desk to the whole network: set [web] password or token, "
            "or leave the host at 127.0.0.1"
        )


class Guard:
    """Passwords, tokens, names that we answer to, and the headers of every answer."""

    def __init__(self, settings: Settings) -> None:
        check(settings.web)
        self.web = settings.web
        self.key = stored_secret(settings.home, "desk.key")
        self.wrong: deque[float] = deque(maxlen=TRIES)
        public = urlsplit(self.web.public_url or "").hostname
        self.names = {name for name in (self.web.host, public, "localhost", "127.0.0.1", "::1") if name}

    @property
    def closed(self) -> bool:
        """Whether visitors have to say who they are."""
        return self.web.password is not None or self.web.token is not None

    def install(self, app: FastAPI) -> None:
        app.middleware("http")(self._guarded)
        secure = (self.web.public_url or "").startswith("https://")
        app.add_middleware(
            SessionMiddleware,
            secret_key=self.key,
            session_cookie="claimwatch",
            max_age=STAYS,
            same_site="lax",  # strict would ask again whoever follows a link in an alert mail
            https_only=secure,
        )

    async def _guarded(self, request: Request, call_next: Next) -> Response:
        answer = self._refused(request) or await call_next(request)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if not request.url.path.startswith("/static/"):
            answer.headers.setdefault("Cache-Control", "private, no-store")
        return answer

    def _refused(self, request: Request) -> Response | None:
        name = (urlsplit(f"//{request.headers.get('host', '')}").hostname or "").lower()
        if not self.closed and name not in self.names:
            return PlainTextResponse(
                "This desk has no password and answers on this machine only. To reach it under another name, set "
                "[web] public_url and a password.\n",
                status_code=421,
            )
        if not self.closed or request.url.path.startswith(OPEN) or self.known(request) or self._follows(request):
            return None
        if request.url.path.startswith("/api/") or request.method not in ("GET", "HEAD"):
            return JSONResponse(
                {"error": "log in, or send the header Authorization: Bearer <[web] token>"},
                status_code=401,
                headers={"WWW-Authenticate": "Bearer"},
            )
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/login?next={quote(wanted, safe='')}", status_code=303)

    def known(self, request: Request) -> bool:
        """Logged in, or with the token in the header."""
        if self.web.token is not None:
            given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
            if hmac.compare_digest(given, self.web.token.get_secret_value().encode()):
                return True
        return self.web.password is not None and hmac.compare_digest(
            str(request.session.get("login", "")), self._login()
        )

    def feed_address(self, claim_id: str) -> str:
        """Path of a claim's feed. Where the desk is closed it carries a key, since feed readers can't log in: it opens
        this one feed, until password or token change.
        """
        path = f"/claims/{quote(claim_id, safe='')}/{FEED}"
        return f"{path}?key={self._feed_key(claim_id)}" if self.closed else path

    def _follows(self, request: Request) -> bool:
        """Whether a request has the key of the feed that it asks for."""
        _, claims, claim_id, *rest = [*str(request.scope["path"]).split("/"), "", ""]
        given = request.query_params.get("key", "")
        right = claims == "claims" and rest[:1] == [FEED] and request.method == "GET"
        return right and hmac.compare_digest(given.encode(), self._feed_key(claim_id).encode())

    def _feed_key(self, claim_id: str) -> str:
        token = self.web.token.get_secret_value() if self.web.token else ""
        text = json.dumps([FEED, self._login(), token, claim_id])
        return hmac.new(self.key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]

    def log_in(self, request: Request, password: str) -> bool:
        """Whether the password was right; the session holds a mark of it, so that a changed one ends all sessions."""
        now = time.monotonic()
        if len(self.wrong) == TRIES and now - self.wrong[0] < WINDOW:
            raise HTTPException(429, "too many wrong passwords: wait a minute")
        right = self.web.password is not None and hmac.compare_digest(
            password.encode(), self.web.password.get_secret_value().encode()
        )
        if not right:
            self.wrong.append(now)
            return False
        request.session.clear()  # a token from before the login is void
        request.session["login"] = self._login()
        return True

    def _login(self) -> str:
        password = self.web.password.get_secret_value() if self.web.password else ""
        return hmac.new(self.key.encode(), password.encode(), hashlib.sha256).hexdigest()


def form_token(request: Request) -> str:
    """What a form on our pages has to send back as `token`."""
    if "form" not in request.session:
        request.session["form"] = secrets.token_urlsafe(24)
    return str(request.session["form"])


def check_form(request: Request, token: str) -> None:
    """Raises 403 where a request that changes something was not made by one of our own pages."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    foreign = site not in ("same-origin", "none") or (
        origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    )
    known = str(request.session.get("form", ""))
    if foreign or not known or not hmac.compare_digest(known, token):
        raise HTTPException(403, "this form was not sent from the desk, or its page is old: load the page again")


def local_path(wanted: str) -> str:
    """`wanted` where it is a path on this desk, else the board: no login page that leads elsewhere."""
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not parts.scheme and not parts.netloc and "\\" not in wanted
    return wanted if ours and not wanted.startswith("//") and wanted.isprintable() else "/"
