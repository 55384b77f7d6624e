"""Free ports."""

import errno
import socket
from pathlib import Path

import pytest

from aybiza.config.ports import CannotListen, bound, free_port


def test_an_address_that_is_taken_is_told_with_what_to_change() -> None:
    with bound("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as raised:
            bound("127.0.0.1", port, "AYBIZA_HTTP_PORT")
        assert str(raised.value) == (
            f"cannot listen on 127.0.0.1:{port}: another program listens there (ss -ltnp names it):"
            " end it, or choose another port (AYBIZA_HTTP_PORT)"
        )
        assert raised.value.errno == errno.EADDRINUSE


def test_an_address_that_no_interface_has_is_told_with_the_setting_of_addresses() -> None:
    with pytest.raises(CannotListen, match=r"no interface .*: set AYBIZA_BIND to one$"):
        bound("192.0.2.1", 0, "AYBIZA_HTTP_PORT")


def test_a_free_port_can_be_listened_on() -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as server:
        assert server.getsockname() == ("127.0.0.1", port)


def test_a_free_port_is_none_that_others_get_by_chance() -> None:
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    low, high = map(int, given)
    assert not [port for _ in range(20) if low <= (port := free_port()) <= high]


def test_when_every_port_is_taken_it_is_said_where(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(address: object) -> None:
        raise OSError("in use")

    monkeypatch.setattr(socket, "create_server", taken)
    with pytest.raises(OSError, match=r"none of 100 ports of 127\.0\.0\.1 from 20000 on is free"):
        free_port()
