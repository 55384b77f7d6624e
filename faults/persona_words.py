"""Who gives callers their words: Amazon Bedrock, or a stand-in for it.

    with bedrock_words(settings, policy, model) as ask: ask(request)
    emulated_words(responder)(request)

Bedrock is asked by the runtime's own client, in a thread with a loop of its own; who asks is
blocked meanwhile, so no virtual time passes. A request that fails for a reason that passes is sent
once more.

Errors: `Speechless` of an `ask`; `Refused` for what no other request would change, and for a model
that may not be asked, or whose price nobody knows.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from aybiza.claude.billing import cost_of
from aybiza.claude.choice import Policy
from aybiza.claude.client import BedrockClient
from aybiza.claude.converse import converse_request
from aybiza.claude.errors import BedrockError
from aybiza.claude.models import ModelProfile
from aybiza.claude.stream import usage_of
from aybiza.config.settings import Settings
from aybiza.emulators.bedrock.reply import Reply
from aybiza.faults.persona_mind import Answer, Ask, Model, Refused, Speechless

SECONDS: Final = 30.0
"""For an answer."""
AGAIN_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 5.0


def emulated_words(responder: Any) -> Ask:
    """Words of a responder that answers at once (`aybiza.emulators.bedrock`); they cost nothing."""

    def ask(request: Mapping[str, Any]) -> Answer:
        reply: Reply = responder({**request, "system": [{"text": request["system"]}]})
        return Answer(reply.text)

    return ask


@contextmanager
def bedrock_words(settings: Settings, policy: Policy, model: Model) -> Iterator[Ask]:
    """Words of Bedrock, as long as the block lasts. Raises Refused."""
    try:
        profile = policy.preferring(model.name, None).models[0] if model.name else policy.cheapest
    except ValueError as error:
        raise Refused(str(error)) from None
    if not cost_of(profile, usage_of({})).priced:
        raise Refused(f"nobody knows what {profile.id} costs, so most_usd could not be kept")
    region = policy.region_of(profile, policy.region)
    own = settings.model_copy(update={"aws_region": region})
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="persona-words", daemon=True)
    thread.start()

    def done(work: Any, seconds: float) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(seconds)

    client = BedrockClient.of(own)
    try:
        yield lambda request: done(_asked(client, profile, request), 3 * SECONDS)
    finally:
        done(client.aclose(), CLOSE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_SECONDS)
        loop.close()


async def _asked(
    client: BedrockClient, profile: ModelProfile, request: Mapping[str, Any]
) -> Answer:
    wanted = converse_request(
        profile,
        request["messages"],
        system=request["system"],
        max_tokens=request["max_tokens"],
    )
    try:
        told = await _once(client, profile, wanted)
    except BedrockError as error:
        if not error.retryable:
            raise Refused(str(error)) from None
        await asyncio.sleep(AGAIN_SECONDS)
        try:
            told = await _once(client, profile, wanted)
        except BedrockError as again:
            raise Speechless(str(again)) from None
    blocks = told["output"]["message"]["content"]
    text = " ".join(str(block["text"]) for block in blocks if "text" in block)
    return Answer(text, cost_of(profile, usage_of(told)).total)


async def _once(client: BedrockClient, profile: ModelProfile, request: dict[str, Any]) -> Any:
    return await client.ask(
        lambda boto: boto.converse(**request), model=profile.id, timeout=SECONDS
    )
