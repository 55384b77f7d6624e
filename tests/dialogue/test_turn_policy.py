"""What a turn machine goes by, as the agent's file has it."""

from __future__ import annotations

import pytest

from aybiza.actors.call.call_timers import VOICE_SECONDS
from aybiza.config.agents import Agent
from aybiza.config.phrases import translations
from aybiza.dialogue.turn_policy import MORE_FILLERS, TurnPolicy
from aybiza.faults.telephone import REDIRECT_SECONDS
from tests.dialogue.call_world import agent


def test_what_an_agent_says_is_what_is_done() -> None:
    policy = TurnPolicy.of(
        agent(
            patience_ms=300,
            silence_timeout_s=7.0,
            silence_again_s=9.0,
            filler_after_ms=900,
            barge_in_words=3,
            barge_in_voice_ms=250,
            greeting_yields=False,
        )
    )
    assert (policy.patience, policy.silence, policy.silence_again) == (0.3, 7.0, 9.0)
    assert policy.patience < policy.patience_again < policy.patience_unfinished
    assert (policy.filler_after, policy.barge_in_words, policy.barge_in_voice) == (0.9, 3, 0.25)
    assert not policy.greeting_yields


def test_a_caller_is_asked_after_ten_seconds_and_seen_off_after_twice_that() -> None:
    assert (TurnPolicy.of(agent()).silence, TurnPolicy.of(agent()).silence_again) == (10.0, 20.0)


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [({}, 2.0), ({"utterance_end_ms": 3000}, 4.0), ({"endpointing_ms": 5000}, 6.0)],
)
def test_the_recogniser_may_end_an_utterance_first(changes: dict[str, int], seconds: float) -> None:
    assert TurnPolicy.of(agent(**changes)).endpoint == seconds


@pytest.mark.parametrize(
    ("changes", "fillers"),
    [
        ({}, ("One moment.", *MORE_FILLERS)),
        ({"more_fillers": ("Still here.",)}, ("One moment.", "Still here.")),
        ({"language": "sv", "filler": "Ett ögonblick."}, ("Ett ögonblick.",) * 4),
        (
            {"language": "de", "filler": "Moment.", "more_fillers": ("Gleich.",)},
            ("Moment.", "Gleich."),
        ),
    ],
)
def test_nobody_hears_a_filler_in_another_language(
    changes: dict[str, object], fillers: tuple[str, ...]
) -> None:
    assert TurnPolicy.of(agent(**changes)).fillers == fillers


def test_fillers_are_of_the_agents_language() -> None:
    desk = {"name": "Empfang", "greeting": "Grüezi.", "system_prompt": "Sei nett."}
    read = Agent.model_validate({**desk, "filler": "Moment.", "language": "de-CH"})
    assert TurnPolicy.of(read).fillers == ("Moment.", *translations()["de"]["more_fillers"])


def test_silence_is_never_longer_than_four_and_a_half_seconds_while_an_answer_is_owed() -> None:
    longest = Agent.model_fields["filler_after_ms"].metadata[1].le / 1000
    voice = 0.5
    assert longest + voice < 4.5
    assert TurnPolicy().filler_again + voice < 4.5


def test_where_no_voice_says_a_filler_the_carrier_speaks_in_time() -> None:
    policy = TurnPolicy.of(agent())
    for silent in (policy.filler_again, policy.heard_out + policy.filler_after):
        assert silent + VOICE_SECONDS + REDIRECT_SECONDS < 4.5
