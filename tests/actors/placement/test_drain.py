"""A node is emptied of its calls; the decisions alone."""

from hypothesis import given
from hypothesis import strategies as st

from aybiza.actors.placement.drain import (
    BACK_SECONDS,
    HAND_OVER_SECONDS,
    LEAST_BATCH,
    ROUND_SECONDS,
    SEAM_SECONDS,
    Ask,
    Cut,
    Drain,
)

MANY = 1_000


def test_a_node_without_calls_is_drained_at_once() -> None:
    drain = Drain(0.0, 300.0)
    assert drain.look(0.0, [], MANY) == []
    assert drain.over and drain.due
    assert drain.progress(0.0).state == "drained"


def test_calls_come_to_their_end_before_the_deadline() -> None:
    drain = Drain(0.0, 300.0)
    assert drain.look(0.0, ["a", "b"], MANY) == []
    assert drain.look(299.0, ["b"], MANY) == []
    assert not drain.over
    assert drain.look(299.5, [], MANY) == []
    assert drain.over
    progress = drain.progress(299.5)
    assert (progress.ended, progress.handed_over, progress.seconds_left) == (2, 0, 0.5)


def test_what_is_left_is_asked_at_the_deadline_and_cut_off_without_a_seam() -> None:
    drain = Drain(0.0, 10.0)
    drain.look(0.0, ["a", "b"], MANY)
    assert drain.look(10.0, ["a", "b"], MANY) == [Ask("a"), Ask("b")]
    drain.left(11.0, "a")
    assert drain.look(11.0, ["b"], MANY) == []
    drain.taken("a")
    assert drain.look(10.0 + SEAM_SECONDS, ["b"], MANY) == [Cut("b")]
    assert drain.look(10.1 + SEAM_SECONDS, ["b"], MANY) == []
    drain.left(10.2 + SEAM_SECONDS, "b")
    drain.taken("b")
    drain.look(10.3 + SEAM_SECONDS, [], MANY)
    progress = drain.progress(20.0)
    assert (progress.state, progress.ended, progress.handed_over) == ("drained", 0, 2)


def test_a_call_taken_before_its_stream_is_gone_counts_once() -> None:
    drain = Drain(0.0, 0.0)
    drain.look(0.0, ["a"], MANY)
    drain.left(0.1, "a")
    drain.taken("a")
    drain.look(0.2, ["a"], MANY)
    drain.look(0.3, [], MANY)
    assert (drain.progress(0.3).ended, drain.progress(0.3).handed_over) == (0, 1)


def test_a_call_that_does_not_come_back_is_told_as_lost() -> None:
    drain = Drain(0.0, 0.0)
    drain.look(0.0, ["a"], MANY)
    drain.left(0.5, "a")
    drain.look(0.6, [], MANY)
    assert not drain.over
    drain.look(0.5 + BACK_SECONDS, [], MANY)
    assert drain.over
    assert drain.progress(5.0).lost == 1


def test_no_more_calls_are_asked_than_the_others_have_room_for() -> None:
    drain = Drain(0.0, 0.0)
    calls = [f"c{number}" for number in range(5)]
    assert drain.look(0.0, calls, 2) == [Ask("c0"), Ask("c1")]
    assert drain.look(1.0, calls, 2) == []
    drain.left(1.1, "c0")
    assert drain.look(2.0, calls[1:], 1) == []
    drain.taken("c0")
    assert drain.look(3.0, calls[1:], 3) == [Ask("c2"), Ask("c3")]


def test_without_room_calls_stay_unless_the_node_ends() -> None:
    assert Drain(0.0, 0.0).look(0.0, ["a"], 0) == []
    drain = Drain(0.0, 0.0, final=True)
    assert drain.look(0.0, ["a"], 0) == [Cut("a")]
    assert drain.look(1.0, ["a"], 0) == []


def test_many_calls_go_in_batches_a_round() -> None:
    drain = Drain(0.0, 0.0)
    calls = {f"c{number:03}" for number in range(100)}
    asked = []
    for tenth in range(50):
        commands = drain.look(tenth / 10, calls, MANY)
        asked.append([command.call_id for command in commands if type(command) is Ask])
    sizes = [len(batch) for batch in asked if batch]
    assert sizes == [20] * 5
    few = Drain(0.0, 0.0)
    assert len(few.look(0.0, [str(number) for number in range(LEAST_BATCH)], MANY)) == LEAST_BATCH


def test_a_call_that_was_let_in_before_is_waited_for() -> None:
    drain = Drain(0.0, 0.0)
    drain.look(0.0, [], MANY, expected=1)
    assert not drain.over
    assert drain.look(ROUND_SECONDS, ["late"], MANY) == [Ask("late")]
    drain.look(2.0, [], MANY)
    assert drain.over


@given(
    st.lists(st.tuples(st.floats(0.1, 30.0), st.booleans()), max_size=30),
    st.floats(0.0, 10.0),
)
def test_every_drain_with_room_is_over_in_time(
    lives: list[tuple[float, bool]], seconds: float
) -> None:
    """Calls end by themselves after so long or leave when cut off, and then are taken or not."""
    drain = Drain(0.0, seconds)
    ends = {f"c{number}": end for number, (end, _) in enumerate(lives)}
    taken = {f"c{number}": taken for number, (_, taken) in enumerate(lives)}
    here = set(ends)
    now = 0.0
    while now <= seconds + HAND_OVER_SECONDS + 1.0 and not drain.over:
        here -= {call for call in here if ends[call] <= now}
        for command in drain.look(now, here, MANY):
            if type(command) is Cut:
                here.discard(command.call_id)
                drain.left(now, command.call_id)
                if taken[command.call_id]:
                    drain.taken(command.call_id)
        now += 0.1
    assert drain.over
    progress = drain.progress(now)
    assert progress.ended + progress.handed_over + progress.lost == len(lives)
