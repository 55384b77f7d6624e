"""Who was to be heard when, and what it adds up to."""

from __future__ import annotations

from aybiza.speech.talk import MOST_SPANS, Talk


def caller(talk: Talk, starts: float, ends: float) -> None:
    talk.onset(starts)
    talk.words(starts + 0.1)
    talk.finished(ends)


def test_both_at_once_is_talk_over_unless_it_is_short() -> None:
    talk = Talk()
    talk.agent(0.0, 5.0)
    caller(talk, 4.0, 6.0)
    talk.agent(5.9, 8.0)
    told = talk.told()
    assert (told.talk_over_s, told.talk_overs) == (1.0, 1)
    assert (told.agent_s, told.caller_s, told.seconds) == (7.1, 2.0, 8.0)


def test_what_was_cut_was_not_to_be_heard() -> None:
    talk = Talk()
    talk.agent(0.0, 2.0)
    talk.agent(3.0, 9.0)
    talk.agent(10.0, 12.0)
    talk.cut(4.0)
    assert talk.told().agent_s == 3.0


def test_dead_air_behind_the_caller_is_owed_by_the_agent() -> None:
    talk = Talk()
    talk.agent(0.0, 2.0)
    caller(talk, 6.0, 7.0)
    talk.agent(12.0, 13.0)
    caller(talk, 14.0, 15.0)
    told = talk.told()
    assert (told.dead_air_s, told.dead_airs, told.owed_s) == (9.0, 2, 5.0)


def test_an_onset_without_words_is_no_voice_and_words_without_an_end_go_as_far_as_they_do() -> None:
    talk = Talk()
    talk.onset(1.0)
    talk.onset(5.0)
    talk.words(5.5)
    talk.onset(5.6)
    talk.words(6.0)
    assert talk.told().caller_s == 1.0
    talk.finished(5.8)
    assert talk.told().caller_s == 0.8
    talk.finished(9.0)
    assert talk.told().caller_s == 0.8


def test_nothing_is_nothing_and_what_is_kept_is_bounded() -> None:
    assert set(Talk().told()) == {0}
    talk = Talk()
    for n in range(MOST_SPANS + 10):
        talk.agent(float(n), n + 0.5)
    assert talk.told().agent_s == MOST_SPANS / 2
