"""What cannot be true of a model catalogue although each of its values could be.

Contract: `contradictions` is pure and says all of them at once, each as
`model: field = value: why`. A table of checks: each takes a model and yields `(field, why)`.
Errors: none.
Source: Bedrock: Converse request, inference profiles, prompt caching, model lifecycle; Anthropic:
thinking and tool use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from aybiza.config.catalogue import Catalogue, Model, Prices

Problems: TypeAlias = Iterator[tuple[str, str]]
"""A field and what is wrong with it."""


def contradictions(catalogue: Catalogue) -> list[str]:
    """Each contradiction in the catalogue, in words."""
    found = []
    for model in catalogue.models.values():
        for check in _CHECKS:
            for field, why in check(model, catalogue):
                found.append(f"{model.id}: {field} = {_shown(model, field)}: {why}")
    for name, target in catalogue.aliases.items():
        if target not in catalogue.models:
            near = ", ".join(catalogue.nearest(target))
            found.append(f"aliases: {name} = {target!r}: there is no such model; nearest: {near}")
        if name in catalogue.models:
            found.append(f"aliases: {name} = {target!r}: {name} is a model of its own")
    return found


def _ids(model: Model, catalogue: Catalogue) -> Problems:
    prefix, base = catalogue.split(model.id)
    if prefix is not None:
        yield "id", f"{prefix}. is an inference profile; name the model itself, {base}"
    for profile in model.profiles:
        if profile not in catalogue.profiles:
            yield "profiles", f"{profile} is not declared in [profiles]"
    if not model.profiles and not model.on_demand:
        yield "profiles", "without a profile and without on_demand no request can name it"


def _tokens(model: Model, catalogue: Catalogue) -> Problems:
    if model.max_output > model.context:
        yield "max_output", f"is more than its context of {model.context} holds"
    if model.min_cache_tokens is not None and model.min_cache_tokens > model.context:
        yield "min_cache_tokens", f"is more than its context of {model.context} holds"
    if model.long_context is not None and model.long_context.above >= model.context:
        yield "long_context.above", f"no prompt is that long: its context is {model.context}"


def _thinking(model: Model, catalogue: Catalogue) -> Problems:
    modes = model.thinking
    if len(set(modes)) != len(modes):
        yield "thinking", "names a mode twice"
    if "always" in modes and len(modes) > 1:
        yield "thinking", "a model that always thinks has no other mode"
    if "always" in modes and model.no_thinking != "effort":
        yield "no_thinking", "a model that always thinks can only be held to effort"
    if not modes and model.no_thinking != "omit":
        yield "no_thinking", "it does not think, so there is nothing to say"
    if model.no_thinking == "effort" and modes == ("budget",):
        yield "no_thinking", "a model that thinks by budget knows no effort"
    if model.no_thinking == "effort" and model.forced_tools:
        yield "forced_tools", "a model that cannot be kept from thinking refuses forced tools"
    if model.no_thinking == "effort" and model.prefill:
        yield "prefill", "a model that cannot be kept from thinking refuses a prefill"
    if model.forced_tools and not model.tools:
        yield "forced_tools", "it takes no tools"


def _money(model: Model, catalogue: Catalogue) -> Problems:
    yield from _prices("prices", model, model.prices)
    if model.long_context is not None:
        yield from _prices("long_context", model, model.long_context)
        for name, price, longer in (
            ("input", model.prices.input, model.long_context.input),
            ("output", model.prices.output, model.long_context.output),
        ):
            if longer < price:
                yield f"long_context.{name}", "is less than for a short prompt"


def _prices(field: str, model: Model, prices: Prices) -> Problems:
    caches = model.min_cache_tokens is not None
    for name in ("cache_read", "cache_write_5m"):
        if caches and getattr(prices, name) is None:
            yield f"{field}.{name}", "is missing although min_cache_tokens says that it caches"
    for name in ("cache_read", "cache_write_5m", "cache_write_1h"):
        if not caches and getattr(prices, name) is not None:
            yield f"{field}.{name}", "is given although it does not cache (no min_cache_tokens)"
    if prices.cache_read is not None and prices.cache_read > prices.input:
        yield f"{field}.cache_read", "costs more than the prompt itself"
    short, long = prices.cache_write_5m, prices.cache_write_1h
    if short is not None and long is not None and long < short:
        yield f"{field}.cache_write_1h", "costs less than five minutes"
    if field == "long_context" and (prices.cache_write_1h is None) != (
        model.prices.cache_write_1h is None
    ):
        yield f"{field}.cache_write_1h", "must be given for long and short prompts, or for neither"


def _lifecycle(model: Model, catalogue: Catalogue) -> Problems:
    days = [
        (field, day)
        for field in ("launched", "legacy", "end_of_life")
        if (day := getattr(model, field)) is not None
    ]
    for (earlier, first), (field, second) in pairwise(days):
        if second < first:
            yield field, f"comes before {earlier}"
    if model.end_of_life is not None and model.successor is None:
        yield "end_of_life", "a model that ends needs a successor"
    if model.successor is None:
        return
    if model.successor not in catalogue.models:
        near = ", ".join(catalogue.nearest(model.successor))
        yield "successor", f"there is no such model; nearest: {near}"
    seen, after = {model.id}, model.successor
    while after in catalogue.models and after not in seen:
        seen.add(after)
        after = catalogue.models[after].successor or ""
    if after == model.id:
        yield "successor", "leads in a circle back to it"


_CHECKS: tuple[Callable[[Model, Catalogue], Problems], ...] = (
    _ids,
    _tokens,
    _thinking,
    _money,
    _lifecycle,
)


def _shown(model: Model, field: str) -> str:
    value: Any = model
    for part in field.split("."):
        value = getattr(value, part)
    if isinstance(value, tuple):
        return repr(list(value))
    if "prices" in field or (field.startswith("long_context") and not field.endswith("above")):
        return "none" if value is None else f"{value / 1_000_000:g}"
    return str(value).lower() if isinstance(value, bool) else str(value)
