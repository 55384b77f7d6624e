"""Who is behind a connection: only what named proxies say is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway.admission.callers import Callers, limited_as

PROXY, STRANGER, CLIENT = "10.0.0.7", "203.0.113.9", "198.51.100.4"
FORWARDED = {
    "host": "node:3000",
    "x-forwarded-for": CLIENT,
    "x-forwarded-proto": "https",
    "x-forwarded-host": "phone.example.org",
}


def test_nobody_is_believed_unless_named() -> None:
    caller = Callers().caller(PROXY, False, FORWARDED)
    assert (caller.address, caller.secure, caller.host) == (PROXY, False, "node:3000")
    assert caller.url("http", "/incoming?a=1") == "http://node:3000/incoming?a=1"


def test_a_named_proxy_is_believed() -> None:
    callers = Callers(["10.0.0.0/8"])
    caller = callers.caller(PROXY, False, FORWARDED)
    assert (caller.address, caller.secure, caller.host) == (CLIENT, True, "phone.example.org")
    assert caller.url("ws", "/media") == "wss://phone.example.org/media"
    assert callers.caller(STRANGER, False, FORWARDED).address == STRANGER


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        (f"1.2.3.4, {CLIENT}", CLIENT),
        (f"{CLIENT}, 10.1.1.1, 10.0.0.9", CLIENT),
        ("10.1.1.1, 10.0.0.9", "10.1.1.1"),
        ("", PROXY),
        ("unknown", PROXY),
        (f"{CLIENT}, unknown, 10.0.0.9", "10.0.0.9"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_caller_is_the_last_who_is_no_proxy(forwarded_for: str, address: str) -> None:
    headers = {"x-forwarded-for": forwarded_for}
    assert Callers(["10.0.0.0/8"]).caller(PROXY, False, headers).address == address


def test_without_the_headers_a_proxy_is_a_caller_like_any_other() -> None:
    caller = Callers(["10.0.0.0/8"]).caller(PROXY, True, {"host": "node"})
    assert (caller.address, caller.secure, caller.host) == (PROXY, True, "node")


def test_only_who_connects_from_this_machine_itself_is_local() -> None:
    callers = Callers(["127.0.0.0/8"])
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        assert callers.caller(address, False, {}).local
    assert not callers.caller("127.0.0.1", False, FORWARDED).local
    assert not Callers().caller("127.0.0.1", False, {"x-forwarded-for": "127.0.0.1"}).local
    assert not callers.caller(STRANGER, False, {"x-forwarded-for": "127.0.0.1"}).local


def test_ipv6_is_limited_by_its_network() -> None:
    assert limited_as("2001:db8::1") == limited_as("2001:db8::ffff:1") == "2001:db8::/64"
    assert limited_as("2001:db8:0:1::1") != limited_as("2001:db8::1")
    assert limited_as("::ffff:198.51.100.4") == CLIENT
    assert limited_as("") == "unknown"


@given(st.text(), st.dictionaries(st.sampled_from([*FORWARDED]), st.text()))
def test_any_header_has_a_meaning(peer: str, headers: dict[str, str]) -> None:
    for callers in (Callers(), Callers(["0.0.0.0/0", "::/0"])):
        caller = callers.caller(peer, False, headers)
        assert isinstance(caller.address, str)
        limited_as(caller.address)
