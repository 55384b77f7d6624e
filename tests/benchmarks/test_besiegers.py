"""The strangers of a siege send what they say that they have sent, and end in time."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from aybiza.benchmarks.besiegers import besiege


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("connections", "5 connections"),
        ("events", "events on"),
        ("pings", "MB on"),
        ("parts", "MB on"),
        ("escapes", "MB on"),
        ("handshakes", "handshakes"),
        ("slow", "bytes on 256 connections"),
    ],
)
def test_each_kind_reaches_the_port(kind: str, told: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as besiegers:
        server.settimeout(10)
        sent = besiegers.submit(besiege, server.getsockname()[1], kind, "other", 5, 0.3)
        stranger, (address, _) = server.accept()
        with stranger:
            assert told in sent.result(60)
        assert address.startswith("127.0.1.")


def test_the_control_opens_no_port() -> None:
    assert besiege(0, "busy", "other", 5, 0.01) == "nothing, at full speed"
