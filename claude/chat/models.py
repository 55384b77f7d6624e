"""Which model ids are of a chat service, and what is known of the models behind them.

    is_chat("openai:gpt-4o-mini"), provider_of("anthropic.claude-haiku-4-5")
    chat_profile("openai:gpt-4o-mini", prices)       as requests and bills need it

A chat model is asked last, with what every model of its kind takes: tools and a temperature; no
thinking, no cache points, no guardrail. Its prices are those of `config/service_prices.toml`; one
without costs a call nothing, and the cost says so.

Pure. Errors: none. Source: OpenAI, chat completions and model pages.
"""

from __future__ import annotations

from typing import Final

from aybiza.claude.models import ModelProfile
from aybiza.config.catalogue import Model, Prices, Scores
from aybiza.config.prices import ServicePrices

PREFIX: Final = "openai:"
PROVIDER: Final = "openai"

_CONTEXT: Final = 128_000
_MAX_OUTPUT: Final = 4_096


def is_chat(model_id: str) -> bool:
    """Whether a chat service has the model, and not Bedrock."""
    return model_id.startswith(PREFIX)


def name_of(model_id: str) -> str:
    """What the service itself calls the model.

    >>> name_of("openai:gpt-4o-mini")
    'gpt-4o-mini'
    """
    return model_id.removeprefix(PREFIX)


def provider_of(model_id: str) -> str:
    """Whose model it is, for figures: `bedrock` or `openai`."""
    return PROVIDER if is_chat(model_id) else "bedrock"


def chat_profile(model_id: str, prices: ServicePrices) -> ModelProfile:
    """See the module."""
    read, said = prices.of("chat_input", model_id), prices.of("chat_output", model_id)
    known = read is not None and said is not None
    cached = prices.of("chat_cached", model_id)
    model = Model.model_construct(
        id=model_id,
        name=name_of(model_id),
        tier="fast",
        scores=Scores(intelligence=8, speed=8, cost=8),
        context=_CONTEXT,
        max_output=_MAX_OUTPUT,
        prices=Prices.model_construct(
            input=read or 0,
            output=said or 0,
            cache_read=cached,
            cache_write_5m=None,
            cache_write_1h=None,
        ),
        sampling="free",
        tools=True,
        forced_tools=True,
    )
    return ModelProfile(model_id, model, known=known)
