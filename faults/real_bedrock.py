"""Amazon Bedrock, asked from virtual time: who asks is blocked, and no time of theirs passes.

    with real_bedrock(settings, policy, profile) as converse:
        told = converse(request)             `Told`: the message, why it ended, what it has cost
    answering(converse, profile)             a responder for a world, whose answers are Bedrock's

It is asked by the runtime's own client, in a thread with a loop of its own. A request that fails
for a reason that passes is sent once more.

Errors: `Speechless` of a request; `Refused` for what no other request would change, and for a model
whose price nobody knows.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from aybiza.claude.billing import cost_of
from aybiza.claude.choice import Policy
from aybiza.claude.client import BedrockClient
from aybiza.claude.converse import converse_request
from aybiza.claude.errors import BedrockError
from aybiza.claude.models import ModelProfile
from aybiza.claude.stream import usage_of
from aybiza.config.settings import Settings
from aybiza.emulators.bedrock.continuation import Body, Responder
from aybiza.emulators.bedrock.reply import Block, Reply, Text, ToolUse
from aybiza.faults.persona_mind import Refused, Speechless

SECONDS: Final = 30.0
"""For an answer."""
AGAIN_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 5.0


class Told(NamedTuple):
    """An answer: its blocks, as Converse has them."""

    content: list[dict[str, Any]]
    stop_reason: str
    micro_usd: int

    @property
    def text(self) -> str:
        """Its words."""
        return " ".join(str(block["text"]) for block in self.content if "text" in block)


Converse = Callable[[Mapping[str, Any]], Told]


@contextmanager
def real_bedrock(settings: Settings, policy: Policy, profile: ModelProfile) -> Iterator[Converse]:
    """See the module. Raises Refused."""
    if not cost_of(profile, usage_of({})).priced:
        raise Refused(f"nobody knows what {profile.id} costs, so no limit of money could be kept")
    region = policy.region_of(profile, policy.region)
    client = BedrockClient.of(settings.model_copy(update={"aws_region": region}))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="real-bedrock", daemon=True)
    thread.start()

    def done(work: Any, seconds: float) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(seconds)

    try:
        yield lambda request: done(_asked(client, profile, request), 3 * SECONDS)
    finally:
        done(client.aclose(), CLOSE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_SECONDS)
        loop.close()


async def _asked(client: BedrockClient, profile: ModelProfile, request: Mapping[str, Any]) -> Told:
    try:
        told = await _once(client, profile, request)
    except BedrockError as error:
        if not error.retryable:
            raise Refused(str(error)) from None
        await asyncio.sleep(AGAIN_SECONDS)
        try:
            told = await _once(client, profile, request)
        except BedrockError as again:
            raise Speechless(str(again)) from None
    content = list(told["output"]["message"]["content"])
    return Told(content, told["stopReason"], cost_of(profile, usage_of(told)).total)


async def _once(client: BedrockClient, profile: ModelProfile, request: Mapping[str, Any]) -> Any:
    return await client.ask(
        lambda boto: boto.converse(**request), model=profile.id, timeout=SECONDS
    )


def answering(converse: Converse, profile: ModelProfile) -> Responder:
    """See the module. What a world's agent asks of any model is asked of this one."""

    def answer(body: Body) -> Reply:
        limits = body.get("inferenceConfig", {})
        tools = [tool for tool in body.get("toolConfig", {}).get("tools", ()) if "toolSpec" in tool]
        told = converse(
            converse_request(
                profile,
                body["messages"],
                system=[block["text"] for block in body.get("system", ()) if "text" in block],
                tools=tools,
                max_tokens=limits.get("maxTokens", 300),
                temperature=limits.get("temperature"),
            )
        )
        return Reply(tuple(_blocks(told)), told.stop_reason)

    return answer


def _blocks(told: Told) -> Iterator[Block]:
    for block in told.content:
        if "text" in block:
            yield Text(str(block["text"]))
        elif "toolUse" in block:
            use = block["toolUse"]
            yield ToolUse(use["name"], dict(use.get("input") or {}), use["toolUseId"])
