"""Flux's turns: each is said once, and none is waited for without end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from aybiza.speech.deepgram_flux import TurnInfo
from aybiza.speech.flux_hearing import DEAF_SECONDS, SILENT_SECONDS, VAIN_SECONDS, FluxHearing
from aybiza.speech.hearing import (
    FINALIZE_SECONDS,
    Finalize,
    Finished,
    GoesOn,
    Interim,
    MayBeDone,
    Onset,
    Outcome,
    Unanswered,
    Understood,
    Words,
)


def hear(hearing: FluxHearing, *turns: TurnInfo) -> list[Outcome]:
    return [outcome for turn in turns for outcome in hearing.handle(turn, turn.end)]


def test_a_turn_is_shown_as_it_grows_and_said_at_its_end() -> None:
    assert hear(
        FluxHearing(),
        TurnInfo("StartOfTurn", "I", 0.5, 0.4),
        TurnInfo("Update", "I need", 0.8, 0.7),
        TurnInfo("Update", "I need", 1.0, 0.7),
        TurnInfo("EagerEndOfTurn", "I need a cleaning", 1.6, 1.4),
        TurnInfo("EndOfTurn", "I need a cleaning", 1.8, 1.4),
    ) == [
        Onset(),
        Interim("I"),
        Interim("I need"),
        Interim("I need a cleaning"),
        MayBeDone("I need a cleaning"),
        Words("I need a cleaning"),
        Understood(1.8),
        Finished(1.4),
    ]


def test_a_turn_that_was_over_too_early_goes_on() -> None:
    outcomes = hear(
        FluxHearing(),
        TurnInfo("StartOfTurn", "four", 0.5, 0.4),
        TurnInfo("EagerEndOfTurn", "four four", 1.0, 0.9),
        TurnInfo("TurnResumed", "four four", 1.3, 0.9),
        TurnInfo("EndOfTurn", "four four seven one", 2.5, 2.2),
    )
    assert [o for o in outcomes if isinstance(o, Words)] == [Words("four four seven one")]


def test_a_turn_that_may_be_over_and_is_not_is_told_as_such() -> None:
    outcomes = hear(
        FluxHearing(),
        TurnInfo("StartOfTurn", "four", 0.5, 0.4),
        TurnInfo("EagerEndOfTurn", "four four", 1.0, 0.9),
        TurnInfo("TurnResumed", "four four", 1.3, 0.9),
    )
    assert outcomes[2:] == [Interim("four four"), MayBeDone("four four"), GoesOn()]


def test_a_turn_whose_end_is_lost_ends_when_the_next_begins_and_its_late_end_means_nothing() -> (
    None
):
    hearing = FluxHearing()
    hear(hearing, TurnInfo("StartOfTurn", "yes", 0.5, 0.4, turn=0))
    taken = [Words("yes"), Understood(0.5), Finished(0.4)]
    assert hear(hearing, TurnInfo("Update", "", 1.5, turn=1)) == taken
    assert hear(hearing, TurnInfo("EndOfTurn", "yes", 1.6, 0.4, turn=0)) == []
    assert hear(hearing, TurnInfo("EndOfTurn", "no", 2.6, 2.4, turn=1)) == [
        Words("no"),
        Understood(2.6),
        Finished(2.4),
    ]


def test_updates_without_a_new_word_do_not_keep_a_turn_open() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("StartOfTurn", "yes", 0.5, 0.4))
    hear(hearing, *(TurnInfo("Update", "yes", 0.5 + n / 4, 0.4) for n in range(1, 9)))
    assert hearing.due == 0.5 + SILENT_SECONDS


def test_silence_is_no_turn() -> None:
    updates = [TurnInfo("Update", "", second, None) for second in (1.0, 2.0, 3.0)]
    assert hear(FluxHearing(), *updates) == []
    assert hear(FluxHearing(), TurnInfo("EndOfTurn", "", 3.0)) == [Understood(3.0)]


def test_a_turn_of_which_nothing_more_is_told_is_ended() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("EagerEndOfTurn", "yes", 0.5, 0.4))
    assert hearing.due == 0.5 + SILENT_SECONDS
    assert hearing.tick(0.5 + SILENT_SECONDS) == [Finalize()]
    last = 0.5 + SILENT_SECONDS + FINALIZE_SECONDS
    assert hearing.tick(last) == [Words("yes"), Understood(0.5), Finished(0.4)]
    assert hearing.due is None


def test_a_turn_that_is_resumed_in_vain_again_and_again_is_ended() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("StartOfTurn", "yes", 0.5, 0.4))
    for at in range(1, 9):
        hear(hearing, TurnInfo("EagerEndOfTurn", "yes", at - 0.2, 0.4))
        hear(hearing, TurnInfo("TurnResumed", "yes", at, 0.4))
    assert hearing.due == 2.0 + VAIN_SECONDS
    hear(hearing, TurnInfo("EagerEndOfTurn", "yes please", 8.5, 8.3))
    assert hearing.due == 8.5 + SILENT_SECONDS


def test_a_turn_that_is_going_on_is_told_to_be_again_and_again() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("StartOfTurn", "yes", 0.5, 0.4), TurnInfo("Update", "yes", 1.5, 0.4))
    assert hearing.due == 1.5 + DEAF_SECONDS
    hear(hearing, TurnInfo("Update", "yes", 3.0, 0.4))
    assert hearing.due == 0.5 + SILENT_SECONDS
    hear(hearing, TurnInfo("Update", "yes please", 3.2, 3.1))
    assert hearing.tick(3.2 + DEAF_SECONDS) == [Finalize()]


def test_a_recogniser_that_has_stopped_is_not_taken_at_its_last_word() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("StartOfTurn", "wh", 0.5, 0.4))
    asked = 0.5 + DEAF_SECONDS
    assert hearing.tick(asked) == [Finalize()]
    assert hearing.tick(asked + FINALIZE_SECONDS) == [Unanswered("wh", 0.5)]
    assert hearing.due is None
    again = FluxHearing(settles=True)
    hear(again, TurnInfo("StartOfTurn", "wh", 0.5, 0.4))
    assert again.tick(asked) == [Finalize()]
    assert again.tick(asked + FINALIZE_SECONDS)[0] == Words("wh")


def test_a_recogniser_that_goes_on_without_an_end_is_taken_at_its_last_word() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("StartOfTurn", "yes", 0.5, 0.4))
    assert hearing.tick(0.5 + DEAF_SECONDS) == [Finalize()]
    hear(hearing, TurnInfo("Update", "yes", 2.6, 0.4))
    assert hearing.tick(2.5 + FINALIZE_SECONDS)[0] == Words("yes")


def test_an_end_without_words_ends_the_turn_that_was_shown() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("EagerEndOfTurn", "yes please", 1.0, 0.9, turn=0))
    ended = hear(hearing, TurnInfo("EndOfTurn", "", 1.3, None, turn=0))
    assert ended == [Words("yes please"), Understood(1.3), Finished(None)]


def test_a_turn_that_begins_is_a_new_one_whatever_its_number() -> None:
    hearing = FluxHearing()
    hear(hearing, TurnInfo("EndOfTurn", "yes", 1.0, 0.9, turn=0))
    again = hear(
        hearing,
        TurnInfo("StartOfTurn", "no", 2.0, 1.9, turn=0),
        TurnInfo("EndOfTurn", "no", 2.5, 1.9, turn=0),
    )
    assert [outcome.text for outcome in again if isinstance(outcome, Words)] == ["no"]


EVENTS = st.sampled_from(
    ["StartOfTurn", "Update", "EagerEndOfTurn", "TurnResumed", "EndOfTurn", "x"]
)


@given(st.lists(st.tuples(EVENTS, st.sampled_from(["", "a", "a b"]), st.floats(0, 9)), max_size=30))
def test_in_any_order_no_words_wait_for_ever(events: list[tuple[str, str, float]]) -> None:
    hearing, now, outcomes = FluxHearing(), 0.0, list[Outcome]()
    for event, text, later in events:
        outcomes += hearing.handle(TurnInfo(event, text, now), now)
        now += later
        outcomes += hearing.tick(now)
    for _ in range(2):
        if hearing.due is not None:
            assert hearing.tick(hearing.due)
    assert hearing.due is None
    assert all(o.text for o in outcomes if isinstance(o, Interim | Words))
