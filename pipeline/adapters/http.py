"""The HTTP client: bounded in time and size, checked addresses, redirects by hand, errors in two families.

A response with any status is returned; only what is not a response is raised. Politeness between requests is
HostGate's (gate.py), robots.txt is robots.py's; web.py joins the three.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType

import httpx

from pipeline import __version__
from pipeline.adapters import bodies
from pipeline.adapters.addresses import AddressPolicy, CheckedBackend, HostMap, Resolver, system_resolver
from pipeline.adapters.pools import HostPools
from pipeline.clock import Clock, SystemClock
from pipeline.errors import PermanentError, TransientError
from pipeline.model import Exchange, Response
from pipeline.settings import FetchSettings

ARTICLE_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.1"
FEED_ACCEPT = (
    "application/atom+xml,application/rss+xml,application/rdf+xml,application/feed+json,"
    "application/xml;q=0.9,text/xml;q=0.9,application/json;q=0.8,*/*;q=0.1"
)
ContentTypes = Callable[[str], bool] | tuple[str, ...]
# Entered around every request of a fetch; what it gives is called when the server begins to answer.
Visit = Callable[[httpx.URL], AbstractAsyncContextManager[Callable[[], None]]]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_ERROR_BODY = 65_536  # bytes kept of the body of an answer that is not 2xx: enough to say what it was
KEEPALIVE = 15.0  # seconds that an idle connection stays open


def article_types(media_type: str) -> bool:
    """Whether a media type can be an article: HTML, XHTML or XML of some kind."""
    return media_type in ("text/html", "application/xhtml+xml", "application/xml", "text/xml") or (
        media_type.endswith("+xml") and not media_type.startswith("image/")
    )


def default_user_agent(contact: str = "") -> str:
    """How the client names itself, with the address that a site's operator can write to."""
    return f"claimwatch/{__version__}" + (f" (+{contact})" if contact else "")


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificate authorities takes 50 ms, so all clients of a process share them."""
    return httpx.create_ssl_context(trust_env=False)


class HttpClient:
    """One client for feeds, articles and robots.txt; use it as an async context manager."""

    def __init__(
        self,
        settings: FetchSettings,
        user_agent: str | None = None,
        *,
        resolver: Resolver = system_resolver,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.user_agent = user_agent or default_user_agent(settings.contact)
        policy, hosts = AddressPolicy(settings.allow_networks), HostMap(settings.host_map)
        backend = CheckedBackend(policy, hosts, resolver, most=settings.per_host, make_room=self.close_idle)
        context = _tls()
        transport = httpx.AsyncHTTPTransport(verify=context)
        # httpx has no argument for a network backend, httpcore's pool has.
        self._pool = transport._pool = HostPools(
            ssl_context=context, keepalive_expiry=KEEPALIVE, http2=True, network_backend=backend
        )
        self._client = httpx.AsyncClient(
            transport=transport,
            trust_env=False,
            follow_redirects=False,
            headers={"User-Agent": self.user_agent, "Accept-Encoding": bodies.ACCEPT_ENCODING},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),  # none kept between two fetches
            timeout=httpx.Timeout(settings.idle_timeout, connect=settings.connect_timeout, pool=settings.total_timeout),
        )

    async def __aenter__(self) -> HttpClient:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def get(
        self,
        url: str,
        *,
        max_body: int,
        accept: str = "*/*",
        etag: str | None = None,
        last_modified: str | None = None,
        content_types: ContentTypes | None = None,
        truncate: bool = False,
        visit: Visit | None = None,
    ) -> Response:
        """Fetch one address, redirects included.

        `max_body` in bytes after decompression; beyond it the fetch fails, or with `truncate` is cut.
        `content_types` judges the media type of a 2xx answer; one without a type passes. `visit` is entered around
        every request, those of redirects too; what it waits for does not count as time, what it raises ends the fetch.

        Raises TransientError (dns, dns-temporary, connect, tls, timeout, protocol) and PermanentError
        (address-refused, too-large, bad-url, too-many-redirects, wrong-type).
        """
        begun = time.monotonic()
        headers = {"Accept": accept}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        try:
            async with asyncio.timeout(self.settings.total_timeout) as limit:
                visiting = _uncounted(visit, limit)
                chain = _Chain(self._client, self.settings.max_redirects, headers, visiting, self.clock)
                response = await chain.run(url, begun, _Limits(max_body, truncate, content_types))
            await self._close_spoiled(response.url)
            return response
        except TimeoutError as error:
            seconds = f"{self.settings.total_timeout:g}"
            raise TransientError(f"{url}: not finished within {seconds} seconds", code="timeout") from error
        except httpx.HTTPError as error:
            raise _translated(url, error) from error
        except bodies.BadEncoding as error:
            raise TransientError(f"{url}: {error}", code="protocol") from error
        except (httpx.InvalidURL, UnicodeError) as error:
            raise PermanentError(f"{url!r} is not a usable address: {error}", code="bad-url") from error

    async def close_idle(self, host: str) -> None:
        """Close the connections to a host that no request uses."""
        for connection in self._pool.connections_to(host):
            if connection.is_idle():
                await connection.aclose()

    async def _close_spoiled(self, url: str) -> None:
        """An answer longer than its Content-Length leaves a rest behind, which would be taken for the next answer."""
        for connection in self._pool.connections_to(host_of(httpx.URL(url))):
            inner = getattr(connection, "_connection", None)
            state = getattr(inner, "_h11_state", None)
            if state is not None and connection.is_idle() and state.trailing_data[0]:
                await connection.aclose()


def host_of(url: httpx.URL) -> str:
    """The host as the gate and the work queue know it."""
    return url.raw_host.decode("ascii").lower().rstrip(".")


@asynccontextmanager
async def _no_visit(url: httpx.URL) -> AsyncIterator[Callable[[], None]]:
    yield lambda: None


def _uncounted(visit: Visit | None, limit: asyncio.Timeout) -> Visit:
    """The same, with the fetch's time standing still while it is entered."""
    if visit is None:
        return _no_visit
    loop = asyncio.get_running_loop()

    @asynccontextmanager
    async def around(url: httpx.URL) -> AsyncIterator[Callable[[], None]]:
        left = (limit.when() or loop.time()) - loop.time()
        limit.reschedule(None)
        async with visit(url) as answered:
            limit.reschedule(loop.time() + left)
            yield answered

    return around


class _Limits:
    def __init__(self, max_body: int, truncate: bool, types: ContentTypes | None) -> None:
        self.max_body, self.truncate, self.types = max_body, truncate, types


class _Chain:
    """One fetch: the first request and those that redirects ask for."""

    def __init__(
        self, client: httpx.AsyncClient, max_redirects: int, headers: dict[str, str], visit: Visit, clock: Clock
    ) -> None:
        self._client, self._max, self._headers = client, max_redirects, headers
        self._visit, self._clock = visit, clock
        # For this fetch alone: some sites set a cookie and redirect to the same page until it comes back.
        self._cookies = httpx.Cookies()

    async def run(self, url: str, begun: float, limits: _Limits) -> Response:
        current, permanent_url, only_permanent = _checked(httpx.URL(url)), None, True
        for _ in range(self._max + 1):
            async with self._visit(current) as answered:
                found = await self._request(current, limits, answered)
            if isinstance(found, httpx.Response):
                current = _checked(current.join(found.headers["location"]).copy_with(fragment=None))
                only_permanent = only_permanent and found.status_code in _PERMANENT
                permanent_url = str(current) if only_permanent else permanent_url
                continue
            return replace(found, permanent_url=permanent_url, elapsed=time.monotonic() - begun)
        raise PermanentError(f"{url}: more than {self._max} redirects", code="too-many-redirects")

    async def _request(
        self, current: httpx.URL, limits: _Limits, answered: Callable[[], None]
    ) -> Response | httpx.Response:
        """One request: the answer, or the bare redirect."""
        request = self._client.build_request("GET", current, headers=self._headers)
        self._cookies.set_cookie_header(request)
        at = self._clock.now()
        response = await self._client.send(request, stream=True)
        answered()
        try:
            self._cookies.extract_cookies(response)
            if response.status_code in _REDIRECTS and response.headers.get("location"):
                return response
            exchange = _exchange(at, response)  # before the body: the connection may close with it
            return Response(
                status=response.status_code,
                url=str(current),
                body=await _body(response, str(current), limits),
                headers={k: v for k, v in response.headers.items() if k != "set-cookie"},
                exchange=exchange,
            )
        finally:
            await response.aclose()


def _exchange(at: datetime, response: httpx.Response) -> Exchange:
    """What the archive keeps of request and answer beside the body."""
    stream, peer = response.extensions.get("network_stream"), None
    with contextlib.suppress(OSError):  # reset meanwhile
        peer = stream.get_extra_info("server_addr") if stream is not None else None
    return Exchange(
        at=at,
        method=response.request.method,
        target=response.request.url.raw_path.decode("ascii"),
        request_headers=_pairs(response.request.headers),
        protocol=response.http_version,
        status=response.status_code,
        reason=response.reason_phrase,
        response_headers=_pairs(response.headers),
        address=str(peer[0]) if peer else None,
    )


def _pairs(headers: httpx.Headers) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in headers.raw)


def _checked(url: httpx.URL) -> httpx.URL:
    """The address itself, if it is http(s) with a host and without credentials."""
    if url.scheme not in ("http", "https") or not url.host:
        raise PermanentError(f"{url} is not an http or https address", code="bad-url")
    if url.userinfo:
        raise PermanentError(f"{url.host}: an address with a user name or password is not followed", code="bad-url")
    if url.port == 0:
        raise PermanentError(f"{url}: there is no port 0", code="bad-url")
    return url


async def _body(response: httpx.Response, url: str, limits: _Limits) -> bytes:
    cap, truncate = limits.max_body, limits.truncate
    if response.is_success:
        _check_type(response, url, limits.types)
        declared = response.headers.get("content-length", "")
        if not truncate and declared.isdecimal() and int(declared) > cap:
            raise _too_large(url, cap)
    else:
        cap, truncate = min(cap, _ERROR_BODY), True
    decoder = bodies.decoder(response.headers.get("content-encoding", ""))
    body = bytearray()
    async for raw in response.aiter_raw():
        for piece in decoder.feed(raw):
            body += piece
            if len(body) > cap:
                if truncate:
                    return bytes(body[:cap])
                raise _too_large(url, cap)
    if not decoder.done() and response.is_success and not truncate:
        raise TransientError(f"{url}: the compressed body ends too soon", code="protocol")
    return bytes(body)


def _check_type(response: httpx.Response, url: str, types: ContentTypes | None) -> None:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if types is None or not media_type:
        return
    if not (media_type in types if isinstance(types, tuple) else types(media_type)):
        raise PermanentError(f"{url} is {media_type}, which is not read here", code="wrong-type")


def _too_large(url: str, cap: int) -> PermanentError:
    return PermanentError(f"{url}: the body is larger than {cap:,} bytes", code="too-large")


def _translated(url: str, error: httpx.HTTPError) -> TransientError | PermanentError:
    if isinstance(error, httpx.TimeoutException):
        return TransientError(f"{url}: the server stopped answering", code="timeout")
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return TransientError(f"{url}: no secure connection: {cause}", code="tls")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.UnsupportedProtocol):
        return PermanentError(f"{url} is not an http or https address", code="bad-url")
    if isinstance(error, httpx.NetworkError):
        return TransientError(f"{url}: connection lost: {error}", code="connect")
    return TransientError(f"{url}: {error or type(error).__name__}", code="protocol")
