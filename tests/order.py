"""The order in which modules of tests run, so that no long one is left for the end.

    arranged(["tests/a.py::test_1", …], by=str)

Several processes share the modules, each the next one in order. Those that take longest come
first, every other place; so beside one that waits there is one that computes, and what is left for
the end is short. Tests of a module stay together, in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import Final, TypeVar

T = TypeVar("T")

LONGEST: Final = (
    "tests/gateway/control/test_switches.py",
    "tests/call/test_handed_over.py",
    "tests/console/test_live_faults.py",
    "tests/call/test_kills.py",
    "tests/chaos/test_cluster.py",
    "tests/chaos/test_rolling.py",
    "tests/actors/cluster/test_cluster_machine.py",
    "tests/packaging/test_wheel.py",
    "tests/console/test_demo.py",
    "tests/benchmarks/test_load.py",
    "tests/console/test_runner.py",
    "tests/actors/cluster/test_machines.py",
    "tests/actors/cluster/test_strangers.py",
    "tests/actors/cluster/test_partition.py",
    "tests/call/test_isolated_calls.py",
    "tests/benchmarks/test_stranger.py",
    "tests/packaging/test_extras.py",
    "tests/examples/test_pizza.py",
    "tests/gateway/carriers/test_paths.py",
    "tests/faults/test_plugin.py",
    "tests/benchmarks/test_runtime.py",
    "tests/actors/runtime/test_collector.py",
    "tests/gateway/test_leaving.py",
    "tests/call/test_rolling_restart.py",
    "tests/emulators/deepgram/test_acoustic.py",
    "tests/security/test_floods.py",
    "tests/benchmarks/test_cluster.py",
    "tests/call/test_machine_lost.py",
    "tests/call/test_node_killed.py",
    "tests/call/test_admitted_calls.py",
    "tests/gateway/carriers/test_audio_socket.py",
    "tests/console/test_node.py",
    "tests/chaos/test_simulation.py",
)
"""Of a quiet machine's, those above some five seconds, the longest first."""


def arranged(items: Sequence[T], by: Callable[[T], str]) -> list[T]:
    """`items` in the order of the module; `by` gives the id of one."""
    modules: dict[str, list[T]] = {}
    for item in items:
        modules.setdefault(by(item).partition("::")[0], []).append(item)
    first = [modules.pop(name) for name in LONGEST if name in modules]
    rest = sorted(modules.values(), key=lambda tests: -len(tests))
    return [*chain.from_iterable(_alternately(first, rest))]


def _alternately(one: Iterable[list[T]], other: Iterable[list[T]]) -> Iterator[list[T]]:
    for pair in zip_longest(one, other):
        yield from filter(None, pair)
