"""What the fixtures of the plugin give, used in this project's own tests."""

from __future__ import annotations

import time

import pytest

from aybiza.faults import testing
from aybiza.faults.testing import (
    Caller,
    Faults,
    Node,
    VirtualTime,
    assert_heard,
    assert_no_orphans,
    assert_restarted,
    eventually,
    hangs_up,
    says,
)


def test_a_call_is_heard_and_leaves_nothing(node: Node, call: Caller, faults: Faults) -> None:
    faults("kill", where="TranscriberActor", at=2.0)
    call(says("Good morning."), hangs_up())
    assert_heard(["Welcome to the front desk", "You said, Good morning."])
    assert_no_orphans()
    assert len(faults.strikes) == 1


def test_what_was_not_heard_or_heard_twice_is_said(call: Caller) -> None:
    call(says("Good morning."), hangs_up())
    with pytest.raises(AssertionError, match="not heard"):
        assert_heard(["Good evening."])
    with pytest.raises(AssertionError, match="not heard"):
        assert_heard(["Good morning.", "Welcome"])


def test_what_is_still_there_is_named(node: Node, call: Caller) -> None:
    call.placed(says("Good morning."), hangs_up())
    node.time.pass_by(1.0)
    with pytest.raises(AssertionError, match="process CallActor"):
        assert_no_orphans(within=0.0)


def test_who_does_not_come_back_in_time_is_said(node: Node, call: Caller) -> None:
    call.placed(hangs_up(after_ms=3000))
    node.time.pass_by(1.0)
    with pytest.raises(AssertionError, match="was not restarted within 1 s"):
        assert_restarted(node.find("CallActor"))
    assert_restarted(node.kill("SpeakerActor"))
    with pytest.raises(AssertionError, match="there is no 'Nobody'"):
        node.find("Nobody")


def test_eventually_waits_in_virtual_time_only(node: Node, virtual_time: VirtualTime) -> None:
    due = virtual_time.now + 200.0
    began = time.process_time()
    eventually(lambda: virtual_time.now >= due, within=201.0)
    with pytest.raises(AssertionError, match="did not hold within 1 s"):
        eventually(lambda: False, within=1.0)
    assert time.process_time() >= began


def test_helpers_without_a_node_say_what_to_do() -> None:
    with pytest.raises(AssertionError, match="take the fixture `node`"):
        testing.current()


def test_the_sequence_of_a_node_is_for_people(node: Node, call: Caller) -> None:
    call(says("Good morning."), hangs_up())
    lines = node.sequence()
    assert any("☎ CA1 line caller: Good morning." in line for line in lines)
    assert not any("look" in line for line in lines)


def test_a_call_under_way_is_carried_to_its_end_past_a_crash(node: Node, call: Caller) -> None:
    placed = call.placed(says("Good morning."), hangs_up())
    call.until(lambda: placed.is_talking(for_ms=100))
    crashed = node.crash("TranscriberActor")
    assert not placed.is_over
    assert call.over(placed).ok
    assert placed.is_over
    assert not node.vm.alive(crashed)
    assert_heard(["You said, Good morning."])


@pytest.mark.parametrize("aybiza_world", [{"char_bytes": 32, "voice_speed": 2}])
def test_the_world_is_made_as_the_test_says(call: Caller) -> None:
    placed = call(says("Good morning."), hangs_up())
    heard = placed.report.heard[0]
    assert heard.until_ms - heard.at_ms == pytest.approx(4 * len(heard.text), rel=0.3)
