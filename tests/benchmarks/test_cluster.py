"""The cluster's benchmark: every figure is there and plausible, and nothing is left behind."""

import psutil
import pytest

from aybiza.benchmarks.cluster import machine, measure, names_cost

pytestmark = pytest.mark.real_time


def below() -> set[int]:
    return {process.pid for process in psutil.Process().children(recursive=True)}


def test_a_small_cluster_is_measured_and_leaves_no_process_behind() -> None:
    before = below()
    figures = {figure.name: figure for figure in measure(2, 1.0, 20)}
    assert len(figures) == 10
    assert all(name.startswith("2 nodes: ") for name in figures)
    assert all(figure.value > 0 for name, figure in figures.items() if "CPU" not in name)
    assert 1 <= figures["2 nodes: frames sent a node"].value <= 10
    assert figures["2 nodes: call, p50"].target == 0.3
    frozen = figures["2 nodes: frozen to NodeDown everywhere"].value
    assert figures["2 nodes: killed to NodeDown everywhere"].value < frozen
    assert below() <= before


def test_names_are_counted_where_their_copies_are() -> None:
    rate, memory = names_cost(1000)
    assert rate.value > 10
    assert memory.value > 100


def test_nodes_that_do_not_start_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AYBIZA_CLUSTER_BIND", "192.0.2.1")
    with pytest.raises(RuntimeError, match="did not start"), machine(2):
        pass
