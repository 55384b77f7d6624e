"""Names of what other services have."""

from __future__ import annotations

import doctest

import pytest

from aybiza.config import others
from aybiza.config.others import chat_model, elevenlabs_voice, is_elevenlabs, voice_name


@pytest.mark.parametrize("name", ["openai:gpt-4o-mini", "openai:meta-llama/Llama-3.3-70B:free"])
def test_a_chat_model_is_named_by_its_service(name: str) -> None:
    assert chat_model(name) == name


@pytest.mark.parametrize("name", ["gpt-4o", "openai:", "openai:gpt 4", "bedrock:x", "openai:x\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be openai: and the name"):
        chat_model(name)


VOICE = "elevenlabs:JBFqnCBsd6RMkjVDRZzb"


@pytest.mark.parametrize("name", ["aura-2-thalia-en", VOICE, f"{VOICE}/eleven_multilingual_v2"])
def test_a_voice_is_one_of_either_service(name: str) -> None:
    assert voice_name(name) == name
    assert is_elevenlabs(name) is name.startswith("elevenlabs")


@pytest.mark.parametrize(
    "name", ["elevenlabs:", "elevenlabs:Rachel", f"{VOICE}/gpt", "Aura 2", f"{VOICE}\n", ""]
)
def test_other_voices_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be a voice of Deepgram's"):
        voice_name(name)
    with pytest.raises(ValueError, match="no voice of ElevenLabs'"):
        elevenlabs_voice(name)
    assert not is_elevenlabs(name) and not is_elevenlabs(None)


def test_the_examples_hold() -> None:
    assert doctest.testmod(others).failed == 0
