"""The names that plans may use."""

import subprocess
import sys
from typing import Any

import aybiza.actors.call.speaker_actor
from aybiza.actors.runtime import GenServer
from aybiza.faults import vocabulary


class Stranger(GenServer):
    async def handle_info(self, message: Any) -> None:
        match message:
            case "overheard":
                return


def test_actors_are_those_that_are_loaded_a_strangers_too() -> None:
    assert {"SpeakerActor", "Stranger", "MediaWriter"} <= vocabulary.actors()
    assert aybiza.actors.call.speaker_actor.SpeakerActor.__name__ in vocabulary.actors()


def test_messages_are_types_and_the_words_that_servers_take() -> None:
    assert {"AnswerSentence", "SentenceHeard", "Speak", "stop", "overheard"} <= (
        vocabulary.messages()
    )


def test_a_wrong_name_is_told_the_nearest() -> None:
    assert vocabulary.nearest("SpeakrActor", vocabulary.actors()).startswith(
        "did you mean 'SpeakerActor'"
    )
    assert vocabulary.nearest("zzz", {"b", "a"}) == "known: a, b"


def test_patterns_fit_what_they_match() -> None:
    assert vocabulary.is_known("Speaker*", {"SpeakerActor"})
    assert vocabulary.is_known("Task answer", {"Task*"})
    assert not vocabulary.is_known("Speakers", {"SpeakerActor"})


def test_the_fields_of_a_message_are_those_of_all_types_of_its_name() -> None:
    assert vocabulary.members("SentenceHeard") == {"turn", "seq", "marked"}
    assert vocabulary.members("audio") is None


def test_who_asks_first_of_all_knows_the_applications_own_names() -> None:
    program = "from aybiza.faults import vocabulary as v; print('CallActor' in v.actors())"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=150, check=True
    )
    assert done.stdout == "True\n"
