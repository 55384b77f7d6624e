"""What a cluster costs, by its number of nodes.

For each size, one `aybiza run` with so many nodes that do nothing but belong to the cluster:

    ready           from the command to the line that says that all nodes are up
    CPU             of all node processes together, idle, in percent of one core
    frames, bytes   what a node sends while idle: heartbeats, with headers and acknowledgements
    memory          what a node has for itself (USS), without a phone agent's modules
    call            a call to a process of another node of the machine and its reply, in turn to all
    registration    of a name, until every node has it
    killed, frozen  until the last of the other nodes is told NodeDown, after SIGKILL and SIGSTOP

`names_cost` registers many names on one of two nodes: what a name costs the other one.

All nodes share this machine's processors with this program: with more nodes than cores the times
are those of a busy machine. Errors: `RuntimeError` when a node does not start or does not answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import random
import secrets
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.node.client import NodeError, ask_node, list_nodes
from aybiza.actors.node.context import NodeContext
from aybiza.actors.runtime import VM, GenServer, NodeDown
from aybiza.benchmarks.runtime import Figure
from aybiza.config.children import end
from aybiza.config.ports import free_port
from aybiza.config.settings import load

CALL_TARGET_MS = 0.3
DOWN_TARGET_MS = 2000.0
READY_SECONDS = 60.0
STOP_SECONDS = 15.0
ASK_SECONDS = 60.0
FRAME_BYTES = 4 + 106 + 35
"""Length and header of a frame, and the acknowledgement of the receiver."""
NAMES_AT_ONCE = 50


class Echo(GenServer):
    """Answers, and notes which nodes went down and when."""

    async def init(self) -> None:
        self.downs: list[tuple[float, str]] = []
        self.vm.monitor_nodes()

    async def handle_call(self, request: Any, _from: Any) -> Any:
        return request

    async def handle_info(self, message: Any) -> None:
        if isinstance(message, NodeDown):
            self.downs.append((time.time(), message.node))


class Traffic:
    """Counts what the carrier is given to send."""

    def __init__(self, carrier: Any) -> None:
        self.letters = self.bytes = 0
        plain = carrier.post

        def post(address: Any, message: Any) -> None:
            self.letters += 1
            self.bytes += len(pickle.dumps(message)) + FRAME_BYTES
            plain(address, message)

        self._carrier, self._counting, self._plain = carrier, post, plain

    async def count(self, seconds: float) -> dict[str, float]:
        """Letters and bytes a second; pickles everything twice meanwhile."""
        self.letters = self.bytes = 0
        self._carrier.post = self._counting
        await asyncio.sleep(seconds)
        self._carrier.post = self._plain
        return {"letters": self.letters / seconds, "bytes": self.bytes / seconds}


async def member(context: NodeContext) -> None:
    """The main of a node that is measured."""
    settings = load(context.settings)
    carrier = context.carrier
    assert carrier is not None
    async with (
        VM(settings.node_name, creation=carrier.card.incarnation) as vm,
        Distribution(vm, carrier) as cluster,
    ):
        await vm.start(Echo, name="echo")
        await cluster.join()
        traffic = Traffic(carrier)
        context.serve(lambda request: _serve(cluster, traffic, request))
        context.ready({"node": settings.node_name})
        # Bounded by the life of the node.
        await context.stop.wait()


async def _serve(
    cluster: Distribution, traffic: Traffic, request: dict[str, Any]
) -> dict[str, Any]:
    vm = cluster.vm
    match request:
        case {"op": "nodes"}:
            return {"nodes": len(vm.nodes())}
        case {"op": "calls", "count": count}:
            return {"seconds": await _calls(vm, count)}
        case {"op": "traffic", "seconds": seconds}:
            return await traffic.count(seconds)
        case {"op": "register", "from": first, "count": count, "at_once": at_once}:
            return {"seconds": await _register(cluster, first, count, at_once)}
        case {"op": "names"}:
            return {"names": len(cluster.names.names())}
        case {"op": "downs"}:
            found = vm.find("echo")
            assert found is not None
            return {"downs": found.server.downs}
    raise ValueError(f"unknown: {request}")


async def _calls(vm: VM, count: int) -> list[float]:
    nodes, taken = vm.nodes(), []
    for number in range(count):
        began = time.perf_counter()
        await vm.call(("echo", nodes[number % len(nodes)]), number, 10.0)
        taken.append(time.perf_counter() - began)
    return taken


async def _register(cluster: Distribution, first: int, count: int, at_once: int) -> list[float]:
    async def one(number: int) -> float:
        began = time.perf_counter()
        await cluster.register(f"name-{number}", "echo", 30.0)
        return time.perf_counter() - began

    taken: list[float] = []
    for start in range(first, first + count, at_once):
        stop = min(start + at_once, first + count)
        taken += await asyncio.gather(*(one(number) for number in range(start, stop)))
    return taken


class Machine:
    """The nodes, as this program sees them."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, cookie: bytes) -> None:
        self.port, self.cookie = port, cookie
        began = time.monotonic()
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(
                "the nodes did not start; run the command with AYBIZA_LOG_LEVEL=info"
            )
        self.ready_seconds = time.monotonic() - began
        doors = json.loads(line)
        self.nodes: list[dict[str, Any]] = doors.get("nodes", [doors])

    def ask(self, node: str, /, **request: Any) -> Any:
        """What a node answers."""
        try:
            return ask_node(self.port, request, ASK_SECONDS, cookie=self.cookie, node=node)
        except NodeError as error:
            raise RuntimeError(f"{node}: {error}") from None

    def pid(self, node: str) -> int:
        """Its present process."""
        for each in list_nodes(self.port, ASK_SECONDS, cookie=self.cookie):
            if each["node"] == node and each["pid"] is not None:
                return int(each["pid"])
        raise RuntimeError(f"{node} is not up")

    def processes(self) -> list[psutil.Process]:
        """Those of the nodes."""
        return [psutil.Process(each["pid"]) for each in self.nodes]

    @property
    def names(self) -> list[str]:
        """The nodes' names."""
        return [each["node"] for each in self.nodes]

    def wait_whole(self) -> None:
        """Until each node reaches all others."""
        end = time.monotonic() + READY_SECONDS
        for name in self.names:
            while not self._reaches_all(name):
                if time.monotonic() > end:
                    raise RuntimeError(f"{name} has not reached all nodes")
                time.sleep(0.1)

    def _reaches_all(self, name: str) -> bool:
        try:
            return bool(self.ask(name, op="nodes")["nodes"] >= len(self.nodes) - 1)
        except RuntimeError:
            # It is being started again, as a node is that a stall of the machine has parted.
            return False


@contextlib.contextmanager
def machine(nodes: int) -> Iterator[Machine]:
    """One machine with so many nodes, which is stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="aybiza-bench-") as folder:
        cookie = secrets.token_hex(16)
        path = Path(folder) / "cookie"
        path.touch(0o600)
        path.write_text(cookie)
        port = free_port()
        command = [sys.executable, "-m", "aybiza.console", "run", "--json", "--nodes", str(nodes)]
        command += ["--node-main", "aybiza.benchmarks.cluster:member", "--name", "n"]
        command += ["--cluster-port", str(port), "--cookie-file", str(path)]
        command += ["--max-restarts", "100", "--silence-limit", "30"]
        environment = {"AYBIZA_LOG_LEVEL": "critical", **os.environ}
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
        try:
            yield Machine(process, port, cookie.encode())
        finally:
            end(process, STOP_SECONDS)


def run(sizes: Sequence[int], seconds: float, calls: int) -> list[Figure]:
    """The figures of clusters of these sizes; idle ones are watched for so many seconds."""
    return [figure for size in sizes for figure in measure(size, seconds, calls)]


def measure(size: int, seconds: float, calls: int) -> list[Figure]:
    """The figures of one size, 2 or more."""
    with machine(size) as cluster:
        cluster.wait_whole()
        first, last = cluster.names[0], cluster.names[-1]
        cpu = _cpu_percent(cluster.processes(), seconds)
        traffic = cluster.ask(first, op="traffic", seconds=min(seconds, 5.0))
        memory = [process.memory_full_info().uss for process in cluster.processes()]
        cluster.ask(first, op="calls", count=calls // 10)
        taken = sorted(cluster.ask(first, op="calls", count=calls)["seconds"])
        # A name is "from" a number of its own, so that none is taken.
        start = random.randrange(1_000_000)
        named = cluster.ask(first, op="register", **{"from": start}, count=100, at_once=1)
        killed = _missed(cluster, last, signal.SIGKILL)
        cluster.wait_whole()
        frozen = _missed(cluster, last, signal.SIGSTOP)

    def figure(name: str, value: float, unit: str, target: float | None = None) -> Figure:
        return Figure(f"{size} nodes: {name}", value, unit, target)

    return [
        figure("ready", cluster.ready_seconds, "s"),
        figure("CPU, idle, all", cpu, "%"),
        figure("frames sent a node", traffic["letters"], "/s"),
        figure("bytes sent a node", traffic["bytes"] / 1000, "kB/s"),
        figure("memory a node", statistics.median(memory) / 1e6, "MB"),
        figure("call, p50", statistics.median(taken) * 1000, "ms", CALL_TARGET_MS),
        figure("call, p95", taken[int(0.95 * len(taken))] * 1000, "ms"),
        figure("registration, p50", statistics.median(named["seconds"]) * 1000, "ms"),
        figure("killed to NodeDown everywhere", killed * 1000, "ms", DOWN_TARGET_MS),
        figure("frozen to NodeDown everywhere", frozen * 1000, "ms", DOWN_TARGET_MS),
    ]


def names_cost(count: int) -> list[Figure]:
    """What names cost: the registrations, and the memory of the node that has the copies."""
    with machine(2) as cluster:
        cluster.wait_whole()
        owner, copies = cluster.names
        process = psutil.Process(cluster.pid(copies))
        before = process.memory_full_info().uss
        began = time.monotonic()
        request = {"from": 0, "count": count, "at_once": NAMES_AT_ONCE}
        cluster.ask(owner, op="register", **request)
        taken = time.monotonic() - began
        assert cluster.ask(copies, op="names")["names"] == count
        grown = process.memory_full_info().uss - before
    return [
        Figure("names registered, 2 nodes", count / taken, "/s"),
        Figure("memory of a name's copy", grown / count, "B"),
    ]


def _cpu_percent(processes: Sequence[psutil.Process], seconds: float) -> float:
    def used() -> float:
        return sum(t.user + t.system for t in (process.cpu_times() for process in processes))

    before = used()
    time.sleep(seconds)
    return (used() - before) / seconds * 100


def _missed(cluster: Machine, victim: str, number: int) -> float:
    """Seconds from the signal until the last of the others has heard of it."""
    pid = cluster.pid(victim)
    began = time.time()
    os.kill(pid, number)
    try:
        return max(_told(cluster, name, victim, began) for name in cluster.names if name != victim)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _told(cluster: Machine, node: str, victim: str, began: float) -> float:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        for at, name in cluster.ask(node, op="downs")["downs"]:
            if name == victim and at >= began:
                return float(at) - began
        time.sleep(0.2)
    raise RuntimeError(f"{node} was not told that {victim} is down")
