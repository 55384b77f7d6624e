"""Machines that others can reach: Thespian stays on loopback, streams carry between them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import trustme

from tests.actors.cluster.machines import Machine
from tests.actors.node.kit import LIMIT


def reachable() -> str | None:
    """An address of this machine that is not loopback."""
    for addresses in psutil.net_if_addrs().values():
        for each in addresses:
            if each.family == socket.AF_INET and not each.address.startswith("127."):
                return str(each.address)
    return None


ADDRESS = reachable()
pytestmark = pytest.mark.skipif(ADDRESS is None, reason="this machine has no network interface")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings of an operator's own certificate."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = trustme.CA()
    issued = authority.issue_cert("node.example")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    return {
        "AYBIZA_CLUSTER_CERTIFICATE": str(folder / "cert.pem"),
        "AYBIZA_CLUSTER_KEY": str(folder / "key.pem"),
        "AYBIZA_CLUSTER_AUTHORITY": str(folder / "ca.pem"),
    }


@pytest.fixture(scope="module")
def machines(own: dict[str, Any]) -> Iterator[tuple[Machine, Machine]]:
    """Two machines, of two nodes and of one; the second has joined the first."""
    assert ADDRESS is not None
    with Machine("wide", nodes=2, address=ADDRESS, **own) as first:
        first.ready()
        with Machine("far", join=first, address=ADDRESS, **own) as second:
            second.ready()
            second.sees("far", "wide-1", "wide-2")
            yield first, second


def test_machines_find_each_other_by_the_port_that_their_nodes_share(
    machines: tuple[Machine, Machine],
) -> None:
    first, second = machines
    first.sees("wide-1", "far", "wide-2")
    assert second.ask("far", op="call", node="wide-2", request=1)["reply"] == ["echo", 1]
    assert first.ask("wide-2", op="call", node="far", request=2)["reply"] == ["echo", 2]


def test_only_streams_listen_where_others_can_come(machines: tuple[Machine, Machine]) -> None:
    assert ADDRESS is not None
    first, _ = machines
    nodes = {first.pid(name) for name in first.names}
    for process in psutil.Process(first.process.pid).children(recursive=True):
        listening = {
            connection.laddr
            for connection in process.net_connections("tcp4")
            if connection.status == psutil.CONN_LISTEN
        }
        wide = {laddr for laddr in listening if laddr.ip == ADDRESS}
        assert (process.pid in nodes) == bool(wide)
        assert {laddr.ip for laddr in listening} <= {ADDRESS, "127.0.0.1"}
        if wide:
            assert first.port in {laddr.port for laddr in wide}


def test_a_stranger_is_told_nothing_at_the_shared_port(machines: tuple[Machine, Machine]) -> None:
    assert ADDRESS is not None
    first, second = machines
    for port in (first.port, second.port):
        with socket.create_connection((ADDRESS, port), timeout=LIMIT) as stranger:
            stranger.sendall(b"500>" + b"\x80" * 600)
            try:
                assert stranger.recv(100) == b""
            except ConnectionResetError:
                continue


def test_a_certificate_that_cannot_be_used_is_named_at_the_start(
    own: dict[str, Any], tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key")
    with Machine("wrong", **{**own, "AYBIZA_CLUSTER_KEY": str(key)}) as machine:
        assert machine.wait() == 2
        assert "the cluster's certificate" in machine.log() and str(key) in machine.log()
