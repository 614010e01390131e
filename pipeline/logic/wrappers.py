"""Addresses that only stand for another one which they name: AMP caches, redirectors, old Google News links.

Only forms in which the target can be read for certain. A short link, or a redirector that hides its target, is
followed by the fetcher, and the target is recorded then.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import SplitResult, parse_qsl, unquote

# host: (path, or its beginning before *; names of the parameter that holds the whole target)
_REDIRECTORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "www.google.com": ("/url", ("q", "url")),
    "google.com": ("/url", ("q", "url")),
    "news.google.com": ("/news/url", ("url",)),
    "news.url.google.com": ("/news/url", ("url",)),
    "l.facebook.com": ("/l.php", ("u",)),
    "lm.facebook.com": ("/l.php", ("u",)),
    "www.facebook.com": ("/l.php", ("u",)),
    "l.instagram.com": ("/", ("u",)),
    "www.bing.com": ("/news/apiclick.aspx", ("url",)),
    "vk.com": ("/away.php", ("to",)),
    "www.youtube.com": ("/redirect", ("q",)),
    "out.reddit.com": ("*", ("url",)),
    "t.umblr.com": ("/redirect", ("z",)),
    "www.linkedin.com": ("/redir/redirect", ("url",)),
    "exit.sc": ("/", ("url",)),
}
_GOOGLE = re.compile(r"(?:www\.)?google\.[a-z.]{2,6}")
_AMP_CACHE = re.compile(r"(?:[a-z0-9-]+\.)?cdn\.ampproject\.org")
_CACHED = re.compile(r"/[a-z]/(s/)?([a-z0-9][a-z0-9.-]*\.[a-z]{2,}/.*)", re.IGNORECASE)
_SHOWN = re.compile(r"/amp/(s/)?([a-z0-9][a-z0-9.-]*\.[a-z]{2,}/.*)", re.IGNORECASE)
_NEWS_ARTICLE = re.compile(r"/(?:rss/|__i/rss/rd/)?articles/(CBM[A-Za-z0-9_-]+)")
_ADDRESS = re.compile(r"https?://[^\s/]+\.[^\s]+", re.IGNORECASE)


def wrapped(parts: SplitResult) -> str | None:
    """The address that this one stands for, always a shorter one, or None where it stands for itself."""
    host = (parts.hostname or "").rstrip(".").lower()
    if _AMP_CACHE.fullmatch(host):
        return _cached(_CACHED, parts)
    if (_GOOGLE.fullmatch(host) or host == "www.bing.com") and parts.path.startswith("/amp/"):
        return _cached(_SHOWN, parts)
    if host == "news.google.com" and (found := _NEWS_ARTICLE.match(parts.path)):
        return _encoded(found.group(1))
    path, names = _REDIRECTORS.get(host, ("", ()))
    if not names and _GOOGLE.fullmatch(host):
        path, names = "/url", ("q", "url")
    if names and path in ("*", parts.path):
        return _parameter(parts.query, names)
    return None


def _cached(form: re.Pattern[str], parts: SplitResult) -> str | None:
    found = form.fullmatch(parts.path)
    if found is None:
        return None
    return f"http{'s' if found.group(1) else ''}://{found.group(2)}{'?' + parts.query if parts.query else ''}"


def _parameter(query: str, names: tuple[str, ...]) -> str | None:
    values = dict(reversed(parse_qsl(query)))
    for name in names:
        value = values.get(name, "").strip()
        if _ADDRESS.fullmatch(value):
            return value
        if _ADDRESS.fullmatch(unquote(value)):  # encoded twice
            return unquote(value)
    return None


def _encoded(code: str) -> str | None:
    """The target in a Google News address before 2024: base64 of a message whose fourth field is the address."""
    try:
        message = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (binascii.Error, ValueError):
        return None
    if not message.startswith(b"\x08\x13\x22") or len(message) < 5:
        return None
    length, at = message[3], 4
    if length >= 0x80:
        length, at = (length & 0x7F) | message[4] << 7, 5
    target = message[at : at + length]
    if len(target) != length or not target.isascii() or not _ADDRESS.fullmatch(target.decode("ascii")):
        return None
    return target.decode("ascii")
