"""The emulated switch does with calls what the shipped dialplans do."""

from __future__ import annotations

from aybiza.emulators.phone.switch import Switch, asterisk_again, freeswitch_again


def test_a_call_has_one_channel_and_is_told_gone_once() -> None:
    board = Switch()
    happened: list[str] = []
    board.listeners.add(lambda what, call: happened.append(f"{what} {call.id}"))
    call = board.place("c")
    assert board.place("c") is call
    assert board.place("d").channel != call.channel
    board.leave(call)
    board.leave(call)
    assert happened == ["gone c"]


def test_an_order_is_noted_with_whom_it_is_for() -> None:
    board = Switch()
    call = board.place("c")
    call.variables["to"] = "+14155550199"
    board.order(call, "transfer")
    assert (call.ordered, call.asked.is_set()) == ("transfer", True)
    assert board.took == [("transfer", "+14155550199")]


def test_the_fork_starts_again_unless_the_node_has_ordered_to_hang_up() -> None:
    assert [freeswitch_again(code, 9.0) for code in (1000, 1001, None)] == [False, True, True]


def test_asterisk_connects_again_unless_a_short_stream_ended_in_order() -> None:
    told = [asterisk_again(1000, 9.0), asterisk_again(1000, 0.1), asterisk_again(1006, 0.1)]
    assert told == [True, False, True]
