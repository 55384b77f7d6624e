"""Free ports."""

import socket
from pathlib import Path

from aybiza.config.ports import free_port


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname() == ("127.0.0.1", port)


def test_a_free_port_is_none_that_others_get_by_chance() -> None:
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    low, high = map(int, given)
    assert not [port for _ in range(20) if low <= (port := free_port()) <= high]
