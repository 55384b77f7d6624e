"""The keeper's decisions."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.node.keeper_machine import (
    TICK,
    AskToStop,
    Command,
    Fork,
    KeeperMachine,
    Kill,
    Phase,
    ReportDown,
    ReportDraining,
    ReportGivenUp,
    ReportStopped,
    ReportUp,
)
from aybiza.actors.node.messages import Limits

LIMITS = Limits(
    start=10, silence=3, stop=2, max_restarts=3, max_seconds=30, backoff=(0.0, 0.5, 1.0)
)


def up(limits: Limits = LIMITS) -> KeeperMachine:
    """A machine whose first node is up at time 0."""
    machine = KeeperMachine(limits)
    machine.start(0)
    machine.ready(0, 1)
    return machine


def crash(machine: KeeperMachine, now: float) -> Sequence[Command]:
    return machine.exited(now, machine.incarnation, "killed by SIGKILL", in_order=False)


def tick_until(
    machine: KeeperMachine, start: float, end: float
) -> tuple[float, Sequence[Command]] | None:
    """The time and the commands of the first tick after `start` that has any."""
    now = start
    while (now := now + TICK) <= end:
        if commands := machine.tick(now):
            return now, commands
    return None


def test_the_first_start_forks_the_first_incarnation() -> None:
    assert KeeperMachine(LIMITS).start(0) == [Fork(1)]


def test_a_ready_node_is_reported_once() -> None:
    machine = KeeperMachine(LIMITS)
    machine.start(0)
    assert machine.ready(1, 1) == [ReportUp(1)]
    assert machine.ready(2, 1) == []


def test_a_killed_node_is_forked_again_at_once() -> None:
    assert crash(up(), 5) == [ReportDown(1, "killed by SIGKILL", 0.0), Fork(2)]


def test_further_restarts_wait_for_their_backoff() -> None:
    machine = up()
    crash(machine, 5)
    machine.ready(5, 2)
    assert crash(machine, 6) == [ReportDown(2, "killed by SIGKILL", 0.5)]
    assert tick_until(machine, 6, 60) == (6.5, [Fork(3)])


def test_a_node_that_ends_too_often_is_given_up() -> None:
    machine = up()
    for now in (2, 4, 6):
        assert isinstance(crash(machine, now)[0], ReportDown)
        machine.tick(now + 1)
        machine.ready(now + 1, machine.incarnation)
    (given_up,) = crash(machine, 8)
    assert given_up == ReportGivenUp(
        "the node ended 4 times within 30 s; the last time: killed by SIGKILL"
    )
    assert tick_until(machine, 8, 100) is None


def test_ends_that_are_long_past_do_not_count() -> None:
    machine = up()
    for end in range(20):
        commands = crash(machine, end * 31)
        assert commands == [
            ReportDown(end + 1, "killed by SIGKILL", 0.0),
            Fork(end + 2),
        ]
        machine.ready(end * 31, end + 2)


def test_a_first_start_that_fails_gives_up_with_the_reason() -> None:
    machine = KeeperMachine(LIMITS)
    machine.start(0)
    machine.ended(1, "OSError: port taken")
    assert machine.exited(1, 1, "exit code 70", in_order=False) == [
        ReportGivenUp("the node did not start: OSError: port taken")
    ]


def test_a_first_start_that_takes_too_long_is_killed() -> None:
    machine = KeeperMachine(LIMITS)
    machine.start(0)
    found = tick_until(machine, 0, 60)
    assert found == (10.25, [Kill()])
    assert crash(machine, 10.3) == [
        ReportGivenUp("the node did not start: it was not ready within 10 s")
    ]


def test_a_later_start_that_fails_counts_as_an_end() -> None:
    machine = up()
    crash(machine, 5)
    assert crash(machine, 5.1) == [ReportDown(2, "killed by SIGKILL", 0.5)]


def test_a_silent_node_is_killed_and_forked_again() -> None:
    machine = up()
    now, commands = tick_until(machine, 0, 60) or (0, [])
    assert (now, commands) == (3.25, [Kill()])
    assert crash(machine, now) == [
        ReportDown(1, "its loop hung: no heartbeat for 3 s", 0.0),
        Fork(2),
    ]


def test_heartbeats_keep_a_node_alive() -> None:
    machine = up()
    for beat in range(100):
        machine.heartbeat(1)
        assert tick_until(machine, beat * 2, beat * 2 + 2) is None


def test_heartbeats_of_a_former_incarnation_do_not_count() -> None:
    machine = up()
    crash(machine, 0)
    machine.ready(0, 2)
    now = 0.0
    while (now := now + TICK) < 4:
        machine.heartbeat(1)
        if machine.tick(now):
            break
    assert now == 3.25


def test_a_node_is_not_blamed_for_a_pause_of_its_keeper() -> None:
    machine = up()
    machine.tick(TICK)
    assert machine.tick(3600) == []


def test_an_orderly_stop_is_reported_without_failure() -> None:
    machine = up()
    assert machine.stop(1) == [AskToStop()]
    assert machine.stop(1) == []
    machine.ended(1, None)
    assert machine.exited(1.5, 1, "exit code 0", in_order=True) == [ReportStopped(None)]


def test_a_node_that_does_not_stop_is_killed_and_that_is_said() -> None:
    machine = up()
    machine.tick(0.9)
    machine.stop(1)
    assert tick_until(machine, 1, 60) == (3.25, [Kill()])
    assert crash(machine, 3.3) == [
        ReportStopped("it did not stop within 2 s and was killed"),
    ]


def test_a_crash_while_stopping_is_said_and_not_restarted() -> None:
    machine = up()
    machine.stop(1)
    assert crash(machine, 1.1) == [ReportStopped("killed by SIGKILL")]


def test_a_stop_while_waiting_for_a_restart_ends_at_once() -> None:
    machine = up()
    crash(machine, 1)
    crash(machine, 1)
    assert machine.phase is Phase.WAITING
    assert machine.stop(1.1) == [ReportStopped(None)]
    assert tick_until(machine, 1.1, 60) is None


def test_an_exit_that_nobody_asked_for_is_a_failure_even_with_code_zero() -> None:
    down = up().exited(1, 1, "exit code 0", in_order=True)
    assert down[0] == ReportDown(1, "ended without being asked to (exit code 0)", 0.0)


@pytest.mark.parametrize("incarnation", [0, 2, 7])
def test_events_of_other_incarnations_have_no_effect(incarnation: int) -> None:
    machine = up()
    assert machine.exited(1, incarnation, "killed by SIGKILL", in_order=False) == []
    assert machine.ready(1, incarnation) == []
    machine.ended(incarnation, "RuntimeError: old")
    assert crash(machine, 2)[0] == ReportDown(1, "killed by SIGKILL", 0.0)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("tick"), st.floats(0.01, 5)),
        st.tuples(st.sampled_from(["ready", "heartbeat", "ended", "exited", "stop"]), st.just(0.0)),
    ),
    max_size=200,
)


@given(EVENTS)
def test_one_process_at_a_time_and_one_last_report(events: list[tuple[str, float]]) -> None:
    machine = KeeperMachine(LIMITS)
    now = 0.0
    alive = 0
    over = 0
    forks: list[int] = []
    stop_asked = False

    def carry_out(commands: Sequence[Command]) -> None:
        nonlocal alive, over
        for command in commands:
            match command:
                case Fork():
                    assert not alive
                    assert not stop_asked
                    alive = command.incarnation
                    forks.append(command.incarnation)
                case Kill() | AskToStop():
                    assert alive
                case ReportUp():
                    assert alive == command.incarnation
                case ReportGivenUp() | ReportStopped():
                    assert not alive
                    over += 1
                case ReportDown():
                    assert not alive

    carry_out(machine.start(now))
    for event, gap in events:
        now += gap
        match event:
            case "tick":
                carry_out(machine.tick(now))
            case "ready" if alive:
                carry_out(machine.ready(now, alive))
            case "heartbeat" if alive:
                carry_out(machine.heartbeat(alive))
            case "ended" if alive:
                carry_out(machine.ended(alive, "RuntimeError: x"))
            case "exited" if alive:
                ended, alive = alive, 0
                carry_out(machine.exited(now, ended, "exit code 70", in_order=False))
                assert machine.exited(now, ended, "exit code 70", in_order=False) == []
            case "stop" if not over:
                stop_asked = True
                carry_out(machine.stop(now))
    assert forks == list(range(1, len(forks) + 1))
    assert over <= 1
    assert (machine.phase is Phase.OVER) == bool(over)


def test_a_node_with_calls_gets_the_time_that_it_asks_for() -> None:
    machine = up()
    assert machine.draining(1, 1, 60) == []
    machine.stop(10)
    assert machine.draining(10, 2, 60) == []
    assert machine.draining(10.5, 1, 60) == [ReportDraining(1, 60)]
    for tenth in range(620):
        machine.heartbeat(1)
        assert machine.tick(10.5 + tenth / 10) == []
    assert machine.tick(10.5 + 60 + LIMITS.stop + TICK) == [Kill()]


def test_a_node_that_hangs_while_it_ends_is_killed() -> None:
    machine = up()
    machine.stop(10)
    machine.draining(10, 1, 600)
    hung = tick_until(machine, 10, 60)
    assert hung is not None
    assert hung[1] == [Kill()]
    assert hung[0] <= 10 + LIMITS.silence + 2 * TICK


def test_a_node_that_renews_may_end_in_order_and_is_started_again() -> None:
    machine = KeeperMachine(LIMITS, renews=True)
    machine.start(0)
    for incarnation in range(1, 20):
        machine.ready(incarnation, incarnation)
        exited = machine.exited(incarnation, incarnation, "exit code 0", in_order=True)
        assert exited == [Fork(incarnation + 1)]
    machine.ready(20, 20)
    assert crash(machine, 20) == [ReportDown(20, "killed by SIGKILL", 0.0), Fork(21)]
