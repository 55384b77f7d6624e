"""Who gives callers their words: Amazon Bedrock, or a stand-in for it.

    with bedrock_words(settings, policy, model) as ask: ask(request)
    emulated_words(responder)(request)

Errors: `Speechless` and `Refused`, as `aybiza.faults.real_bedrock` has them; `Refused` for a model
that may not be asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aybiza.claude.choice import Policy
from aybiza.claude.converse import converse_request
from aybiza.config.settings import Settings
from aybiza.emulators.bedrock.reply import Reply
from aybiza.faults.persona_mind import Answer, Ask, Model, Refused
from aybiza.faults.real_bedrock import real_bedrock


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
    with real_bedrock(settings, policy, profile) as converse:

        def ask(request: Mapping[str, Any]) -> Answer:
            system, most = request["system"], request["max_tokens"]
            wanted = converse_request(profile, request["messages"], system=system, max_tokens=most)
            told = converse(wanted)
            return Answer(told.text, told.micro_usd)

        yield ask
