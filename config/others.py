"""How an agent's file names what other services than Bedrock and Deepgram have.

    last_model = "openai:gpt-4o-mini"
    voice = "elevenlabs:JBFqnCBsd6RMkjVDRZzb"              or "…/eleven_multilingual_v2"

Pure. Errors: `ValueError`, in words for people.
Source: OpenAI, model names, and those of services that speak like it; ElevenLabs, voices, models.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

_DEEPGRAM: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ELEVENLABS: Final = re.compile(r"elevenlabs:([A-Za-z0-9]{20})(?:/(eleven_[a-z0-9_]{1,40}))?")
_CHAT: Final = re.compile(r"openai:[A-Za-z0-9._:/-]{1,100}")


def chat_model(name: str) -> str:
    """The name, if it is one of a chat model.

    >>> chat_model("gpt-4o-mini")
    Traceback (most recent call last):
    ValueError: must be openai: and the name of a model there, such as openai:gpt-4o-mini
    """
    if not _CHAT.fullmatch(name):
        raise ValueError(
            "must be openai: and the name of a model there, such as openai:gpt-4o-mini"
        )
    return name


def voice_name(name: str) -> str:
    """The name, if it is one of a voice.

    >>> voice_name("aura-2-thalia-en"), voice_name("elevenlabs:JBFqnCBsd6RMkjVDRZzb")
    ('aura-2-thalia-en', 'elevenlabs:JBFqnCBsd6RMkjVDRZzb')
    """
    if not (_DEEPGRAM.fullmatch(name) or _ELEVENLABS.fullmatch(name)):
        raise ValueError(
            "must be a voice of Deepgram's, such as aura-2-thalia-en, or elevenlabs: and the id of"
            " a voice there, such as elevenlabs:JBFqnCBsd6RMkjVDRZzb"
        )
    return name


def is_elevenlabs(voice: str | None) -> bool:
    """Whether the voice is one of ElevenLabs'."""
    return voice is not None and _ELEVENLABS.fullmatch(voice) is not None


def elevenlabs_voice(name: str) -> tuple[str, str]:
    """The id of a voice of ElevenLabs', and the model that is to speak, "": the usual one.

    >>> elevenlabs_voice("elevenlabs:JBFqnCBsd6RMkjVDRZzb/eleven_v3")
    ('JBFqnCBsd6RMkjVDRZzb', 'eleven_v3')
    """
    found = _ELEVENLABS.fullmatch(name)
    if found is None:
        raise ValueError(f"no voice of ElevenLabs': {name}")
    return found[1], found[2] or ""


Voice = Annotated[str, AfterValidator(voice_name)]
"""A voice of Deepgram or ElevenLabs."""
ChatModel = Annotated[str, AfterValidator(chat_model)]
"""A model of a chat service, `openai:` and its name there."""
