"""How an agent's file names what other services than Bedrock and Deepgram have.

    last_model = "openai:gpt-4o-mini"

Pure. Errors: `ValueError`, in words for people.
Source: OpenAI, model names, and those of services that speak like it.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import AfterValidator

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


ChatModel = Annotated[str, AfterValidator(chat_model)]
"""A model of a chat service, `openai:` and its name there."""
