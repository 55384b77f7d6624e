"""What listens, read from /proc."""

import os
import socket
from pathlib import Path

import pytest

from aybiza.console.listeners import Listener, listeners, owner


def test_a_listening_socket_of_ours_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert Listener("127.0.0.1", port, os.getpid()) in listeners([os.getpid()])
        assert owner(port) == os.getpid()
    assert owner(port) is None


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_ipv6_addresses_are_read() -> None:
    try:
        server = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError as error:
        pytest.skip(f"no IPv6 loopback: {error}")
    with server:
        port = server.getsockname()[1]
        assert Listener("::1", port, os.getpid()) in listeners([os.getpid()])


def test_a_socket_that_is_only_connected_does_not_count() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        port = client.getsockname()[1]
        assert port not in [each.port for each in listeners([os.getpid()])]


def test_processes_that_have_ended_show_nothing(tmp_path: Path) -> None:
    assert listeners([1 << 22]) == []
    assert listeners([1], tmp_path) == []
