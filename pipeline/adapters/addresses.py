"""Which machines may be talked to: names are resolved here, addresses checked, the checked one connected to.

The check sits in the connection itself, so it holds for redirects and for names that change their address
between two look-ups (DNS rebinding). A host map plays many hosts on one machine in a demo or test; mapped
addresses pass the same check.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import httpcore

from pipeline.errors import ConfigurationError, PermanentError, TransientError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Awaitable[list[str]]]

# IPv6 in public use is 2000::/3 (IANA); within it these lead elsewhere or are for documentation.
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_REFUSED = tuple(
    ipaddress.ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: carries an IPv4 address
        "3fff::/20",  # documentation
    )
)


class AddressPolicy:
    """Says which addresses may be reached: public ones and those within `allow` (CIDR)."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        try:
            self._allow: list[Network] = [ipaddress.ip_network(text, strict=False) for text in allow]
        except ValueError as error:
            raise ConfigurationError(f"fetch.allow_networks: {error}") from error

    def allows(self, address: str) -> bool:
        """False for anything but a public unicast address, unless it is explicitly allowed."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if any(ip.version == network.version and ip in network for network in self._allow):
            return True
        if isinstance(ip, ipaddress.IPv6Address) and ip not in _GLOBAL_IPV6:
            return False  # loopback, link-local, unique local, v4-mapped, NAT64, multicast, unspecified ...
        if any(ip.version == network.version and ip in network for network in _REFUSED):
            return False
        return ip.is_global and not ip.is_multicast and not ip.is_reserved


class HostMap:
    """Settings' host_map: "host" or "*.suffix" to "address" or "address:port" (IPv6 in brackets)."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = {name.lower(): _target(name, value) for name, value in entries.items()}

    def find(self, host: str) -> tuple[str, int | None] | None:
        """Address and port for a host: its own entry, else that of the longest suffix."""
        if host in self._entries:
            return self._entries[host]
        labels = host.split(".")
        for start in range(1, len(labels)):
            found = self._entries.get("*." + ".".join(labels[start:]))
            if found:
                return found
        return None


def _target(name: str, value: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([\d.]+))(?::(\d{1,5}))?", value)
    if match:
        address, port = match.group(1) or match.group(2), match.group(3)
        try:
            ipaddress.ip_address(address)
        except ValueError:
            pass
        else:
            if port is None or 0 < int(port) < 65536:
                return address, int(port) if port else None
    raise ConfigurationError(
        f"fetch.host_map: {name!r} is mapped to {value!r}; write an address, as 127.0.0.1:8001 or [::1]:8001"
    )


async def system_resolver(host: str, port: int) -> list[str]:
    """Addresses of a name from the operating system, in its order of preference."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections; its errors are the product's own and pass through httpx as they are.

    At most `most` connections to a host are open at a time, whatever the scheme and port; `make_room` closes idle ones.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        hosts: HostMap,
        resolver: Resolver = system_resolver,
        *,
        most: int | None = None,
        make_room: Callable[[str], Awaitable[None]] | None = None,
    ) -> None:
        self._policy, self._hosts, self._resolver = policy, hosts, resolver
        self._most, self._make_room = most, make_room
        self._open: Counter[str] = Counter()
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        name = host.lower().rstrip(".")
        mapped = self._hosts.find(name)
        if mapped:
            found, port = [mapped[0]], mapped[1] or port
        else:
            found = await self._resolve(name, port, timeout)
        # Connecting only to addresses that passed is what matters; a name may well have others beside them.
        usable = [address for address in found if self._policy.allows(address)]
        if not usable:
            listed = ", ".join(found[:3])
            raise PermanentError(
                f"{name} is at {listed}, which is not a public address; "
                "if it is meant, add its network to fetch.allow_networks",
                code="address-refused",
            )
        await self._room(name)
        self._open[name] += 1
        try:
            stream = await self._connect(name, usable, port, timeout, local_address, socket_options)
        except BaseException:
            self._closed(name)
            raise
        return Counted(stream, lambda: self._closed(name))

    async def _room(self, name: str) -> None:
        """Wait until one more connection to the host may be opened; the fetch's own deadline bounds this."""
        while self._most is not None and self._open[name] >= self._most:
            if self._make_room is not None:
                await self._make_room(name)
            if self._open[name] >= self._most:
                await asyncio.sleep(0.02)

    def _closed(self, name: str) -> None:
        self._open[name] -= 1
        if self._open[name] <= 0:
            del self._open[name]

    async def _connect(
        self,
        name: str,
        usable: list[str],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception | None = None
        for address in usable[:4]:
            part = None if timeout is None else timeout / min(len(usable), 4)
            try:
                return await self._plain.connect_tcp(address, port, part, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        if isinstance(failure, httpcore.ConnectTimeout):
            raise TransientError(f"{name}: no answer to the connection attempt", code="timeout") from failure
        raise TransientError(f"{name}: connection failed: {failure}", code="connect") from failure

    async def _resolve(self, name: str, port: int, timeout: float | None) -> list[str]:
        try:
            async with asyncio.timeout(timeout):
                found = await self._resolver(name, port)
        except TimeoutError as error:
            raise TransientError(f"{name}: the name server did not answer", code="dns-temporary") from error
        except socket.gaierror as error:
            temporary = error.errno == socket.EAI_AGAIN
            code = "dns-temporary" if temporary else "dns"
            raise TransientError(f"{name}: {error.strerror or error}", code=code) from error
        except (UnicodeError, ValueError) as error:
            raise PermanentError(f"{name!r} is not a host name: {error}", code="bad-url") from error
        if not found:
            raise TransientError(f"{name} has no address", code="dns")
        return found

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise PermanentError("only TCP connections are made", code="bad-url")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Counted(httpcore.AsyncNetworkStream):
    """A connection that says when it is closed, once; one that fails or is given up in the handshake is closed."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, closed: Callable[[], None]) -> None:
        self._stream, self._say_closed = stream, closed
        self._open = True

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            self._over()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            secure = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            await asyncio.shield(self.aclose())
            raise
        self._open = False  # the secure stream answers for the connection from here on
        return Counted(secure, self._say_closed)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _over(self) -> None:
        if self._open:
            self._open = False
            self._say_closed()
