"""Signed links for mails: who holds one may do the one thing that it names, and nothing else. Pure.

    https://desk.example.org/mail/review?match=17&verdict=confirmed&reader=a%40b.org&until=1732000000&sign=…

The signature is HMAC-SHA256 over action and values. A link changes nothing by being opened: mail scanners open all.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from pipeline.errors import ClaimwatchError

VERSION = 1  # part of what is signed, so that a later form can't be taken for this one


class LinkError(ClaimwatchError):
    """A link that does not hold; its text says why, to the reader."""

    code = "link"


class LinkExpired(LinkError):
    """It was ours, and its time is over."""

    code = "expired"


class Links:
    """Makes and reads them. Without `base`, the desk's public address, there are none."""

    def __init__(self, base: str | None, key: str) -> None:
        self._base = base.rstrip("/") if base else None
        self._key = key.encode()

    def page(self, path: str) -> str | None:
        """A page of the desk, unsigned."""
        return None if self._base is None else self._base + path

    def confirm(self, subscription_id: int) -> str | None:
        return self._link("confirm", {"subscription": str(subscription_id)})

    def unsubscribe(self, subscription_id: int) -> str | None:
        return self._link("unsubscribe", {"subscription": str(subscription_id)})

    def pause(self, subscription_id: int) -> str | None:
        return self._link("pause", {"subscription": str(subscription_id)})

    def manage(self, subscription_id: int) -> str | None:
        return self._link("manage", {"subscription": str(subscription_id)})

    def verdict(self, match_id: int, verdict: str, reader: str, until: datetime) -> str | None:
        """Says of a match what the reader says of it, until a moment."""
        values = {"match": str(match_id), "verdict": verdict, "reader": reader, "until": str(int(until.timestamp()))}
        return self._link("review", values)

    def read(self, action: str, values: Mapping[str, str], now: datetime) -> dict[str, str]:
        """The signed values of a request. Raises LinkError where it was made by somebody else, or is too old."""
        signed = {name: value for name, value in values.items() if name != "sign"}
        given = values.get("sign", "")
        # "replace": an address may bring half of a surrogate pair, which is no text.
        if not hmac.compare_digest(given.encode(errors="replace"), self._sign(action, signed).encode()):
            raise LinkError("this link is not whole: copy all of it from the mail, line breaks left out")
        if "until" in signed and now > datetime.fromtimestamp(int(signed["until"]), UTC):
            raise LinkExpired("this link has expired: the desk has the match on its claim's page")
        return signed

    def address(self, action: str, subscription_id: int) -> str:
        """The link to one of a subscription's actions as one page of the desk writes it for another."""
        return self._path(action, {"subscription": str(subscription_id)})

    def _link(self, action: str, values: dict[str, str]) -> str | None:
        return None if self._base is None else self._base + self._path(action, values)

    def _path(self, action: str, values: dict[str, str]) -> str:
        return f"/mail/{action}?{urlencode({**values, 'sign': self._sign(action, values)})}"

    def _sign(self, action: str, values: Mapping[str, str]) -> str:
        text = json.dumps([VERSION, action, sorted(values.items())], ensure_ascii=True, separators=(",", ":"))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:40]
