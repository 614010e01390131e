"""The newsroom and the sink serve this machine alone."""

from __future__ import annotations

import ipaddress

from pipeline.errors import ConfigurationError


def require_loopback(bind: str) -> str:
    """`bind` itself, if it is an address of the loopback interface (or `localhost`).

    Raises ConfigurationError for any other: neither server asks who is there.
    """
    try:
        local = bind == "localhost" or ipaddress.ip_address(bind).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ConfigurationError(
            f"refusing to bind to {bind!r}: this server is for the local machine only; use 127.0.0.1",
            code="bind",
        )
    return bind
