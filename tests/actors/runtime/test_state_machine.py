"""The decisions of state machines, without a process; recorded cases: `gen_statem.json`."""

from __future__ import annotations

import random
from typing import Any

import pytest

from aybiza.actors.runtime import (
    HIBERNATE,
    EventTimeout,
    From,
    KeepState,
    NamedTimeout,
    NextEvent,
    NextState,
    Postpone,
    RepeatState,
    ReplyTo,
    StateTimeout,
    Stop,
    StopMachine,
)
from aybiza.actors.runtime.state_machine import (
    Answer,
    CancelTimer,
    Command,
    Event,
    Invoke,
    StartTimer,
    StateMachine,
    Steps,
)


def carried_out(steps: Steps, *results: Any) -> list[Command]:
    """The commands, where the callbacks return `results` one after the other."""
    commands: list[Command] = []
    left = list(results)
    result = None
    while True:
        try:
            command = steps.send(result)
        except StopIteration:
            assert not left
            return commands
        commands.append(command)
        result = left.pop(0) if isinstance(command, Invoke) else None


def after(machine: StateMachine, *results: Any, event: Event | None = None) -> list[Command]:
    """What follows from the results for an event, without the callback's own command."""
    return carried_out(machine.handle(event or Event("cast", "x")), *results)[1:]


def ends(machine: StateMachine, *results: Any) -> Any:
    """The reason that the machine ends with."""
    with pytest.raises(Stop) as ended:
        after(machine, *results)
    return ended.value.reason


def test_a_callback_is_asked_with_the_state_and_data_of_before() -> None:
    machine = StateMachine("off", 1)
    commands = carried_out(machine.handle(Event("cast", "flip")), NextState("on", 2))
    assert commands == [Invoke(Event("cast", "flip"), "off", 1)]
    assert (machine.state, machine.data) == ("on", 2)


@pytest.mark.parametrize("result", [None, KeepState(), NextState("off"), RepeatState()])
def test_what_is_left_out_stays(result: Any) -> None:
    machine = StateMachine("off", 1)
    assert after(machine, result) == []
    assert (machine.state, machine.data) == ("off", 1)


def test_enter_calls_are_made_at_the_beginning_on_change_and_on_repeat() -> None:
    machine = StateMachine("a", enter_calls=True)
    assert carried_out(machine.begin(), None) == [Invoke(Event("enter", "a"), "a", None)]
    assert after(machine, NextState("b", 1), None) == [Invoke(Event("enter", "a"), "b", 1)]
    assert after(machine, RepeatState(), None) == [Invoke(Event("enter", "b"), "b", 1)]
    assert after(machine, NextState("b")) == []


def test_replies_go_out_before_the_enter_call() -> None:
    caller = From(None, None)
    machine = StateMachine("a", enter_calls=True)
    result = NextState("b", actions=[ReplyTo(caller, "ok")])
    commands = after(machine, result, None)
    assert commands == [Answer(caller, "ok"), Invoke(Event("enter", "a"), "b", None)]


def test_postponed_events_come_back_with_a_change_behind_inserted_ones() -> None:
    machine = StateMachine("a")
    first, second = Event("cast", 1), Event("cast", 2)
    after(machine, KeepState(actions=Postpone()), event=first)
    after(machine, KeepState(actions=[Postpone(), Postpone(False), Postpone()]), event=second)
    assert machine.postponed == (first, second)
    assert machine.next_event() is None
    after(machine, NextState("b", actions=[NextEvent("internal", "i"), NextEvent("cast", "c")]))
    queued = [machine.next_event() for _ in range(5)]
    assert queued == [Event("internal", "i"), Event("cast", "c"), first, second, None]
    assert not machine.postponed


def test_repeating_a_state_brings_nothing_back() -> None:
    machine = StateMachine("a")
    after(machine, KeepState(actions=Postpone()))
    after(machine, RepeatState())
    assert machine.next_event() is None


def test_a_time_out_is_started_replaced_and_void_when_it_comes_too_late() -> None:
    machine = StateMachine("a")
    (first,) = after(machine, KeepState(actions=StateTimeout(1, "one")))
    assert first == StartTimer("state_timeout", 1, 1)
    cancelled, second = after(machine, KeepState(actions=StateTimeout(2, "two")))
    assert (cancelled, second) == (
        CancelTimer("state_timeout"),
        StartTimer("state_timeout", 2, 2),
    )
    assert machine.expired("state_timeout", 1) is None
    assert machine.expired("state_timeout", 2) == Event("state_timeout", "two")
    assert machine.expired("state_timeout", 2) is None


def test_a_change_cancels_the_state_time_out_and_any_event_the_event_time_out() -> None:
    machine = StateMachine("a")
    started = after(
        machine,
        KeepState(actions=[StateTimeout(9), EventTimeout(9), NamedTimeout("n", 9)]),
    )
    assert [command.key for command in started if isinstance(command, StartTimer)] == [
        "state_timeout",
        "timeout",
        ("timeout", "n"),
    ]
    assert after(machine, None) == [CancelTimer("timeout")]
    assert after(machine, NextState("b")) == [CancelTimer("state_timeout")]
    assert after(machine, KeepState(actions=NamedTimeout("n", "cancel"))) == [
        CancelTimer(("timeout", "n"))
    ]


@pytest.mark.parametrize("word", ["cancel", "infinity"])
def test_to_cancel_what_does_not_run_is_nothing(word: Any) -> None:
    machine = StateMachine("a")
    assert after(machine, KeepState(actions=StateTimeout(word))) == []
    assert machine.next_event() is None


def test_time_outs_of_zero_come_before_messages_in_the_order_they_were_set() -> None:
    machine = StateMachine("a")
    after(machine, KeepState(actions=[NamedTimeout("one", 0, 1), NamedTimeout("two", 0, 2)]))
    after(machine, KeepState(actions=[NamedTimeout("one", 0, 3), NextEvent("internal", "i")]))
    events = [machine.next_event() for _ in range(4)]
    assert events == [
        Event("internal", "i"),
        Event(("timeout", "two"), 2),
        Event(("timeout", "one"), 3),
        None,
    ]


def test_of_one_kind_the_last_time_out_counts() -> None:
    machine = StateMachine("a")
    actions = [StateTimeout(0, "zero"), NamedTimeout("n", 1), StateTimeout(5, "five")]
    assert after(machine, KeepState(actions=actions)) == [
        StartTimer(("timeout", "n"), 1, 1),
        StartTimer("state_timeout", 2, 5),
    ]


def test_an_update_changes_the_content_of_what_runs_and_comes_at_once_if_nothing_does() -> None:
    machine = StateMachine("a")
    after(machine, KeepState(actions=StateTimeout(1, "old")))
    assert after(machine, KeepState(actions=StateTimeout("update", "new"))) == []
    assert machine.expired("state_timeout", 1) == Event("state_timeout", "new")
    assert after(machine, KeepState(actions=StateTimeout("update", "now"))) == []
    assert machine.next_event() == Event("state_timeout", "now")


def test_what_is_due_can_still_be_cancelled_and_put_off() -> None:
    machine = StateMachine("a")
    after(machine, KeepState(actions=[StateTimeout(0), NamedTimeout("n", 0)]))
    (put_off,) = after(
        machine, KeepState(actions=[StateTimeout("cancel"), NamedTimeout("n", 7, "later")])
    )
    assert put_off == StartTimer(("timeout", "n"), 1, 7)
    assert machine.next_event() is None


def test_to_hibernate_changes_nothing() -> None:
    assert after(StateMachine("a"), KeepState(actions=HIBERNATE)) == []


def test_the_end_has_the_data_it_was_given_and_replies_went_out() -> None:
    caller = From(None, None)
    machine = StateMachine("a", 1)
    steps = machine.handle(Event("cast", "x"))
    next(steps)
    assert steps.send(StopMachine("boom", 2, ReplyTo(caller, "bye"))) == Answer(caller, "bye")
    with pytest.raises(Stop) as ended:
        next(steps)
    assert ended.value.reason == "boom"
    assert machine.data == 2


@pytest.mark.parametrize(
    "action",
    [
        "junk",
        7,
        None,
        StateTimeout(-1),
        StateTimeout(float("nan")),
        EventTimeout("soon"),  # type: ignore[arg-type]
        NamedTimeout("n", True),
        NextEvent("gibberish", 1),
        NextEvent("enter", "a"),
        ReplyTo("nobody", 1),  # type: ignore[arg-type]
    ],
)
def test_an_action_without_a_meaning_ends_the_machine_in_its_new_state(action: Any) -> None:
    machine = StateMachine("a", 1)
    why = ends(machine, NextState("b", 2, [action]))
    assert why == ("bad_action_from_state_function", action)
    assert (machine.state, machine.data) == ("b", 2)


def test_a_result_without_a_meaning_ends_the_machine_where_it_was() -> None:
    machine = StateMachine("a", 1)
    assert ends(machine, "junk") == ("bad_return_from_state_function", "junk")
    assert (machine.state, machine.data) == ("a", 1)


def test_what_is_no_reply_ends_a_machine_that_stops_otherwise() -> None:
    why = ends(StateMachine("a"), StopMachine("normal", replies=[Postpone()]))
    assert why == ("bad_reply_action_from_state_function", Postpone())


@pytest.mark.parametrize("action", [Postpone(), NextEvent("internal", 1)])
def test_an_enter_call_neither_postpones_nor_inserts(action: Any) -> None:
    machine = StateMachine("a", enter_calls=True)
    why = ends(machine, NextState("b"), KeepState(actions=action))
    assert why == ("bad_state_enter_action_from_state_function", action)
    assert machine.state == "b"


def test_an_enter_call_does_not_change_the_state() -> None:
    machine = StateMachine("a", enter_calls=True)
    elsewhere = NextState("c", 3)
    why = ends(machine, NextState("b", 2), elsewhere)
    assert why == ("bad_state_enter_return_from_state_function", elsewhere)
    assert (machine.state, machine.data) == ("b", 2)


def test_a_transition_that_is_given_up_leaves_the_machine_where_it_was() -> None:
    machine = StateMachine("a", 1, enter_calls=True)
    steps = machine.handle(Event("cast", "x"))
    next(steps)
    assert steps.send(NextState("b", 2)) == Invoke(Event("enter", "a"), "b", 2)
    steps.close()
    assert (machine.state, machine.data) == ("a", 1)


@pytest.mark.parametrize("seed", range(20))
def test_no_event_is_lost_and_none_comes_twice(seed: int) -> None:
    rng = random.Random(seed)
    machine = StateMachine(0)
    inserted = iter(range(1000, 2000))
    arrived = [Event("cast", number) for number in range(200)]
    expected = {event.content for event in arrived}
    done: list[Any] = []
    for message in arrived:
        event: Event | None = message
        while event is not None:
            actions: list[Any] = []
            if rng.random() < 0.3:
                actions.append(Postpone())
            else:
                done.append(event.content)
            if rng.random() < 0.2:
                actions.append(NextEvent("internal", number := next(inserted)))
                expected.add(number)
            result = NextState(rng.randrange(3)) if rng.random() < 0.3 else KeepState()
            kind = type(result)
            if kind is NextState:
                result = NextState(result.state, actions=actions)  # type: ignore[union-attr]
            else:
                result = KeepState(actions=actions)
            after(machine, result, event=event)
            event = machine.next_event()
    waiting = [event.content for event in machine.postponed]
    assert sorted(done + waiting) == sorted(expected)
