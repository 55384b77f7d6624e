"""`aybiza node list` and `aybiza node ports`."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from aybiza.console.cli import app
from aybiza.console.listeners import Listener
from aybiza.console.nodes import CLUSTER, EMULATOR, JOIN, member_lines, port_rows
from aybiza.gateway.admission.policy import POLICY
from tests.actors.cluster.machines import Machine
from tests.actors.node.kit import free_port

KEPT = [
    {"node": "n-1", "phase": "up", "pid": 12, "doors": {"http": "http://127.0.0.1:3000"}},
    {"node": "n-2", "phase": "starting", "pid": 13, "doors": {}},
]


HEADER = ["NODE", "STATE", "MACHINE", "CALLS", "LATE", "MEMORY"]
DOORS = ["pid", "12", "http://127.0.0.1:3000"]
SHOWN = ["3/10", "1.5", "ms", "80", "MB"]
LOAD: dict[str, Any] = {
    "calls": 3,
    "max_calls": 10,
    "lag_ms": 1.5,
    "memory_mb": 80,
    "refusal": "",
    "place": {"http": "https://b"},
}


def test_every_node_has_a_line_and_those_that_start_too() -> None:
    members: list[dict[str, Any]] = [
        {"node": "n-1", "state": "here", "machine": "10.0.0.1:1900", "load": LOAD},
        {"node": "b", "state": "up", "machine": "m", "load": {**LOAD, "refusal": "draining"}},
        {"node": "far", "state": "down", "machine": "10.0.0.2:1900"},
    ]
    lines = [line.split() for line in member_lines(members, KEPT)]
    assert lines == [
        HEADER,
        ["n-1", "here", "10.0.0.1:1900", *SHOWN],
        ["takes", "calls", *DOORS],
        ["b", "up", "m", *SHOWN],
        ["draining", "https://b"],
        ["far", "down", "10.0.0.2:1900"],
        ["n-2", "starting"],
        ["pid", "13"],
    ]


def test_a_node_that_has_ended_for_good_has_no_process() -> None:
    over: dict[str, Any] = {"node": "n-2", "phase": "over", "pid": None, "doors": {}}
    assert [line.split() for line in member_lines([], [over])] == [HEADER, ["n-2", "over"]]


def test_no_line_is_wider_than_a_terminal() -> None:
    doors = {"media": "wss://phone.example.org:8080/media", "http": "https://phone.example.org"}
    name = "aybiza-0-call-3f2c91"
    kept = [{"node": name, "phase": "up", "pid": 4_000_000, "doors": doors}]
    load = {**LOAD, "max_calls": 10_000, "calls": 10_000, "lag_ms": 1234.5, "memory_mb": 100_000}
    member = {"node": name, "state": "here", "machine": "100.100.100.100:65535", "load": load}
    lines = member_lines([member, {**member, "node": "b"}], kept)
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == HEADER


def test_every_port_has_its_purpose() -> None:
    found = [Listener("127.0.0.1", port, pid) for port, pid in PORTS]
    rows = port_rows(found, KEPT, 1900, admin=10, command=9, session=lambda pid: pid == 99)
    assert [(row["process"], row["purpose"]) for row in rows] == [
        ("admin", JOIN),
        ("n-1", "http"),
        ("n-1", CLUSTER),
        ("keeper, log", CLUSTER),
        ("aybiza run", CLUSTER),
        ("other", EMULATOR),
    ]


def test_a_port_of_the_whole_machine_is_no_single_process_s() -> None:
    kept = [{"node": "n-1", "pid": 12, "doors": {"shared_http": "http://127.0.0.1:3000"}}]
    found = [Listener("127.0.0.1", 3000, 11)]
    [row] = port_rows(found, kept, 1900, admin=10, command=9, session=lambda _: 1)
    assert (row["process"], row["purpose"]) == ("all nodes", "shared_http")


PORTS = [(1900, 10), (3000, 12), (4001, 12), (4002, 11), (4003, 9), (4004, 99)]


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine("n", nodes=2) as machine:
        machine.ready()
        machine.sees("n-1", "n-2")
        yield machine


def test_list_shows_the_cluster(machine: Machine) -> None:
    result = CliRunner().invoke(app, ["node", "list", "--port", str(machine.port)])
    assert result.exit_code == 0, result.stderr
    header, *lines = result.stdout.splitlines()
    assert header.split() == HEADER
    assert [line.split()[:2] for line in lines if not line.startswith(" ")] == [
        ["n-1", "here"],
        ["n-2", "up"],
    ]


def test_ports_lists_all_that_listens(machine: Machine) -> None:
    result = CliRunner().invoke(app, ["node", "ports", "--json", "--port", str(machine.port)])
    assert result.exit_code == 0, result.stderr
    ports = json.loads(result.stdout)["ports"]
    assert [row["process"] for row in ports if row["port"] == machine.port] == ["admin"]
    thespians = ["admin", "aybiza run", "keeper, log", "keeper, log", "n-1", "n-2"]
    expected = sorted([*thespians, "n-1", "n-2"])  # and where other nodes come to each
    assert sorted(row["process"] for row in ports) == expected
    assert {row["address"] for row in ports} == {"127.0.0.1"}


def test_ports_shows_who_may_come_in_by_each_path_without_a_node() -> None:
    told = CliRunner().invoke(app, ["node", "ports", "--policy", "--json"])
    assert json.loads(told.stdout)["doors"] == [row.row() for row in POLICY]
    printed = CliRunner().invoke(app, ["node", "ports", "--policy"]).stdout
    lines = re.sub(r"\n {13}", " ", printed).splitlines()
    for row in POLICY:
        at = lines.index(f"{row.listener} {row.method} {row.path}")
        assert row.proof.value in lines[at + 2]


@pytest.mark.parametrize("command", ["list", "ports"])
def test_where_no_node_runs_it_is_said(command: str) -> None:
    result = CliRunner().invoke(app, ["node", command, "--port", str(free_port())])
    assert result.exit_code == 1
    assert "no node runs on port" in result.stderr
