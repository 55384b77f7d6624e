"""Who gives callers their words: the runtime's own client, and a stand-in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from aybiza.claude.choice import Policy
from aybiza.config.catalogue import shipped
from aybiza.config.settings import Settings, load
from aybiza.emulators.bedrock import BedrockEmulator, Fault, say
from aybiza.emulators.bedrock.reply import Reply
from aybiza.faults import real_bedrock
from aybiza.faults.persona_mind import Answer, Model, Refused, Speechless
from aybiza.faults.persona_words import bedrock_words, emulated_words

REQUEST = {
    "system": "You play somebody.",
    "messages": [{"role": "user", "content": [{"text": "Good day."}]}],
    "max_tokens": 50,
}
MODEL = Model(by="bedrock", goal="Hello.")


def policy_of(settings: Settings) -> Policy:
    return Policy.of(settings, shipped(), today=date(2026, 1, 5))


def test_a_stand_in_is_told_what_a_model_is() -> None:
    told: list[Mapping[str, Any]] = []

    def answer(body: Mapping[str, Any]) -> Reply:
        told.append(body)
        return say("Hello.")

    assert emulated_words(answer)(REQUEST) == Answer("Hello.")
    assert told[0]["system"] == [{"text": "You play somebody."}]


async def outcomes(times: int, *faults: Fault) -> list[Any]:
    """What asking Bedrock so often leads to: answers, and what was raised."""
    async with BedrockEmulator(responder=lambda _: say("A wine, please.")) as emulator:
        emulator.faults.add(*faults)
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        settings = load({"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator.url, **keys})

        def ask_all() -> list[Any]:
            found: list[Any] = []
            with bedrock_words(settings, policy_of(settings), MODEL) as ask:
                for _ in range(times):
                    try:
                        found.append(ask(REQUEST))
                    except Speechless as why:
                        found.append(why)
            return found

        return await asyncio.to_thread(ask_all)


async def test_bedrock_is_asked_by_the_runtimes_client_and_nothing_is_left() -> None:
    (answer,) = await outcomes(1)
    assert answer.text == "A wine, please."
    assert answer.micro_usd > 0
    assert "real-bedrock" not in {thread.name for thread in threading.enumerate()}


async def test_what_passes_is_asked_once_more_and_what_does_not_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(real_bedrock, "AGAIN_SECONDS", 0.0)
    throttled = Fault("http_error", code="ThrottlingException")
    lost, answered = await outcomes(2, throttled, throttled)
    assert (type(lost), type(answered)) == (Speechless, Answer)
    (never,) = await outcomes(1, Fault("http_error", code="AccessDeniedException"))
    assert isinstance(never, Refused)
    assert "ThrottlingException" in str(lost) and "AccessDeniedException" in str(never)


def test_a_model_that_may_not_be_asked_and_one_without_a_price_are_refused() -> None:
    settings = load({})
    policy = policy_of(settings)
    with pytest.raises(Refused, match="gpt"):
        bedrock_words(settings, policy, MODEL.model_copy(update={"name": "gpt"})).__enter__()
    unknown = replace(policy.cheapest, known=False)
    with pytest.raises(Refused, match="nobody knows what"):
        bedrock_words(settings, replace(policy, models=(unknown,)), MODEL).__enter__()
