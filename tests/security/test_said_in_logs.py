"""Somebody reads a log with transcripts off, and looks for what callers have said."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from aybiza.actors.runtime import VM, GenServer, Stop, sys, virtual_time
from aybiza.actors.runtime.observe import observe
from aybiza.supervisors.child_spec import child
from aybiza.supervisors.supervisor import Supervisor

WORD = "zebrafish"
said = st.recursive(
    st.just(WORD) | st.just(f"my name is {WORD}, yes") | st.just(f"4711 {WORD}".encode()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([WORD, "text"]), inner, max_size=2)
        | st.tuples(st.integers(), inner)
    ),
    max_leaves=5,
)


class Listener(GenServer):
    """Keeps what it hears, and breaks in each of the ways in which a server may."""

    async def init(self) -> None:
        self.heard: list[Any] = []

    async def handle_cast(self, request: Any) -> None:
        how, what = request
        self.heard.append(what)
        if how == "raise":
            raise ValueError(f"what is {what}?")
        if how == "stop":
            raise Stop(("heard", what))
        if how == "key":
            raise KeyError(what)
        if how == "assert":
            assert what is None, what


def log_of(how: str, what: Any) -> list[MutableMapping[str, Any]]:
    @virtual_time
    async def scenario() -> None:
        async with VM() as vm:
            spec = child(Listener, restart="temporary")
            top = await vm.start(Supervisor, [spec], link=False)
            assert top is not None
            (listener,) = [pid for pid in vm.processes() if pid != top]
            await sys.trace(vm, listener)
            vm.send(listener, what)
            vm.cast(listener, ("keep", what))
            await sys.statistics(vm, listener)
            assert WORD not in repr(observe(vm, listener))
            vm.cast(listener, (how, what))
            await vm.join(listener)
            await vm.stop(top)

    with capture_logs() as logs:
        scenario()
    return list(logs)


@pytest.mark.parametrize("how", ["raise", "stop", "key", "assert"])
@given(what=said)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_line_of_a_server_that_breaks_holds_what_it_has_heard(how: str, what: Any) -> None:
    logs = log_of(how, what)
    assert "process_crashed" in [line["event"] for line in logs]
    assert "trace" in [line["event"] for line in logs]
    assert WORD not in str(logs)
