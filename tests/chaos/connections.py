"""`python -m tests.chaos.connections`: thousands of strangers at the cluster's ports.

Starts a machine with two nodes, connects to each port on which its processes listen, in turn, says
the first byte of a frame on each connection and never the rest, and leaves all open. Meanwhile
the nodes call each other. Prints what the processes keep, how long the calls and an operator's
command took, and what was counted.

Exit codes: 0 the nodes stayed up and small; 1 they did not; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import resource
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from aybiza.actors.node import guard
from aybiza.actors.node.cookie import ensure_cookie
from tests.actors.cluster.machines import Machine

GROWTH_MB = 40.0
COMMAND_SECONDS = 10.0
SPARE_FILES = 200
MEASURES = 10
SETTLE_SECONDS = 30.0
EXAMPLE = """\
example:
  python -m tests.chaos.connections --connections 10000

exit codes: 0 the nodes stayed up and small, 1 they did not, 2 wrong usage
"""


def listeners(machine: Machine) -> dict[int, psutil.Process]:
    """The ports on which the command, admin, logger, keeper and nodes listen, parents first."""
    found: dict[int, psutil.Process] = {}
    command = psutil.Process(machine.process.pid)
    for process in (command, *command.children(recursive=True)):
        for each in process.net_connections("tcp"):
            if each.status == psutil.CONN_LISTEN:
                found.setdefault(each.laddr.port, process)  # a fork has its parent's, too
    return found


def attack(machine: Machine, connections: int) -> list[str]:
    """Open the connections, print what came of it; what was not as it must be."""
    doors = listeners(machine)
    before = {process.pid: process.memory_info().rss for process in doors.values()}
    quiet = _call_ms(machine)
    strangers: list[socket.socket] = []
    commands: list[float] = []
    calls: list[float] = []
    began = time.monotonic()
    try:
        for index in range(connections):
            stranger = socket.create_connection(
                ("127.0.0.1", list(doors)[index % len(doors)]), timeout=30
            )
            strangers.append(stranger)
            stranger.sendall(b"5")
            if (index + 1) % max(1, connections // MEASURES) == 0:
                asked = time.monotonic()
                calls.append(_call_ms(machine))
                commands.append(time.monotonic() - asked)
        taken = time.monotonic() - began
        few = guard.MAX_CONNECTIONS + 50
        end = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < end and any(p.num_fds() > few for p in doors.values()):
            time.sleep(0.1)
        return _judge(machine, doors, before, quiet, calls, commands, taken, connections)
    finally:
        for stranger in strangers:
            stranger.close()


def _judge(
    machine: Machine,
    doors: dict[int, psutil.Process],
    before: dict[int, int],
    quiet: float,
    calls: Sequence[float],
    commands: Sequence[float],
    taken: float,
    connections: int,
) -> list[str]:
    faults = []
    print(f"{connections} connections to {len(doors)} ports in {taken:.1f} s, held open")
    for port, process in doors.items():
        grown = (process.memory_info().rss - before[process.pid]) / 1e6
        print(
            f"  port {port:5} pid {process.pid:7}: {grown:+6.1f} MB,"
            f" {process.num_fds()} descriptors"
        )
        if grown > GROWTH_MB or process.num_fds() > guard.MAX_CONNECTIONS + 50:
            faults.append(f"the process of port {port} has grown")
    middle, most = statistics.median(calls), max(calls)
    print(
        f"  remote call, p50 of 20: {quiet:.1f} ms before; meanwhile {middle:.1f}, most {most:.1f}"
    )
    print(f"  an operator's command meanwhile: {max(commands) * 1000:.0f} ms at most")
    counts = machine.ask(machine.names[0], op="refused")["counts"]
    print(f"  refused: { {reason: count for reason, count in counts.items() if count} }")
    if max(commands) > COMMAND_SECONDS:
        faults.append("an operator's command took too long")
    if counts["connections"] + counts["slow"] < connections - len(doors) * guard.MAX_CONNECTIONS:
        faults.append("not every connection that was closed was counted")
    if any(machine.seen(name, "down") for name in machine.names):
        faults.append("a node was taken for down")
    return faults


def _call_ms(machine: Machine) -> float:
    one, other = machine.names
    taken: list[float] = machine.ask(one, op="measure", nodes=[other], count=20)["seconds"]
    return statistics.median(taken) * 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        "python -m tests.chaos.connections",
        description="Thousands of strangers at the cluster's ports.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--connections", type=int, default=10_000, help="default 10000")
    options = parser.parse_args(arguments)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = options.connections + SPARE_FILES
    if wanted > hard != resource.RLIM_INFINITY:
        parser.error(f"this machine allows {hard} open files a process: `ulimit -Hn`")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with tempfile.TemporaryDirectory(prefix="aybiza-chaos-") as folder:
        os.environ["AYBIZA_COOKIE_FILE"] = f"{folder}/cookie"
        ensure_cookie(Path(folder) / "cookie")
        with Machine("alone", nodes=2) as machine:
            machine.ready()
            machine.sees("alone-1", "alone-2")
            # The nodes have an ordinary limit, whatever this program has.
            for process in {p.pid: p for p in listeners(machine).values()}.values():
                process.rlimit(psutil.RLIMIT_NOFILE, (1024, hard))
            faults: list[Any] = attack(machine, options.connections)
    for fault in faults:
        print(f"BROKEN: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
