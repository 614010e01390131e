"""Which machines are reached, and which never."""

from __future__ import annotations

import asyncio
import socket

import pytest
from http_site import answer, code, fixed, serving

from pipeline.adapters.addresses import AddressPolicy, HostMap
from pipeline.adapters.http import HttpClient
from pipeline.errors import ConfigurationError, PermanentError, TransientError
from pipeline.settings import FetchSettings

REFUSED = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.1.1",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::8.8.8.8",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "nonsense",
    "1.2.3",
]
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"]


@pytest.mark.parametrize("address", REFUSED)
def test_addresses_that_are_refused(address: str) -> None:
    assert not AddressPolicy().allows(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_that_are_reached(address: str) -> None:
    assert AddressPolicy().allows(address)


def test_the_allow_list_opens_only_what_it_names() -> None:
    policy = AddressPolicy(["10.1.0.0/16", "fd00::/8"])
    assert policy.allows("10.1.2.3")
    assert policy.allows("fd00::5")
    assert not policy.allows("10.2.0.1")
    assert not policy.allows("::ffff:10.1.2.3")
    with pytest.raises(ConfigurationError, match="allow_networks"):
        AddressPolicy(["ten"])


def test_the_host_map() -> None:
    hosts = HostMap({"a.test": "127.0.0.1", "*.test": "127.0.0.1:81", "*.b.test": "[::1]:82", "V6.test": "[::2]"})
    assert hosts.find("a.test") == ("127.0.0.1", None)
    assert hosts.find("c.test") == ("127.0.0.1", 81)
    assert hosts.find("x.y.b.test") == ("::1", 82)
    assert hosts.find("v6.test") == ("::2", None)
    assert hosts.find("test") is None
    for wrong in ("localhost", "127.0.0.1:0", "127.0.0.1:99999", "::1:80", "", "300.1.1.1"):
        with pytest.raises(ConfigurationError, match="host_map"):
            HostMap({"a": wrong})


def test_a_mapped_address_is_checked_too() -> None:
    assert code(fixed(answer()), options={"allow_networks": []}) == "address-refused"


def test_a_name_that_changes_its_address_is_checked_at_every_connection() -> None:
    found = iter([["127.0.0.1"], ["10.0.0.1"], ["10.0.0.1", "127.0.0.1"]])

    async def resolver(name: str, port: int) -> list[str]:
        return next(found)

    async def run() -> None:
        async with serving(fixed(answer(200, b"x", connection="close"))) as (site, _):
            allowed = FetchSettings(allow_networks=["127.0.0.0/8"])
            async with HttpClient(allowed, resolver=resolver) as client:
                url = f"http://rebind.example:{site.port}/"
                assert (await client.get(url, max_body=9)).body == b"x"
                with pytest.raises(PermanentError) as caught:
                    await client.get(url, max_body=9)
                assert caught.value.code == "address-refused"
                assert (await client.get(url, max_body=9)).body == b"x"  # by the address that passed

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "dns"),
        (socket.gaierror(socket.EAI_AGAIN, "later"), "dns-temporary"),
        (TimeoutError(), "dns-temporary"),
    ],
)
def test_names_that_are_not_found(error: Exception, expected: str) -> None:
    async def resolver(name: str, port: int) -> list[str]:
        raise error

    async def run() -> None:
        async with HttpClient(FetchSettings(), resolver=resolver) as client:
            await client.get("http://nowhere.example/", max_body=9)

    with pytest.raises(TransientError) as caught:
        asyncio.run(run())
    assert caught.value.code == expected
