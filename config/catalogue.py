"""The model catalogue: what each Claude model on Amazon Bedrock is, takes and costs, as data.

`shipped()` is `models.toml` of this package; `load(path)` is the same with a file of the user's own
over it, which changes models key by key and adds others. Both read files: call them before the
event loop has calls to carry. Prices are whole micro-USD per million tokens.

Errors: `CatalogueError` names file, model, field and what is wrong with it, one line a problem.

Source: Bedrock: model cards, pricing, model lifecycle, inference profiles; Anthropic: models
overview; scores of the specification (000, `@model_capabilities`).
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    StringConstraints,
    ValidationError,
)

from aybiza.config.kinds import wanted
from aybiza.config.tables import TABLE
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import placed

SHIPPED = Path(__file__).with_name("models.toml")
MICRO = 1_000_000

Tier = Literal["economy", "fast", "balanced", "deep"]
TIERS: tuple[Tier, ...] = ("economy", "fast", "balanced", "deep")
"""From the cheapest to the most capable."""
Ttl = Literal["5m", "1h"]
"""How long a cached prompt is kept."""


class CatalogueError(ValueError):
    """The catalogue cannot be used; the text says why, `problems` has a line for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _micro_usd(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("must be a number of USD")
    exact = Decimal(str(value)) * MICRO
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise ValueError("must be a number of USD with at most six decimals")
    return int(exact)


MicroUsd = Annotated[int, BeforeValidator(_micro_usd), Field(ge=0, le=10_000 * MICRO)]
BaseId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[A-Za-z0-9:-]+)+\Z")]
ProfileName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*\Z")]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Tokens = Annotated[int, Field(ge=1, le=100_000_000)]
Score = Annotated[int, Field(ge=1, le=100)]
# TOML has arrays, not tuples.
_LIST = Field(strict=False)


class _Frozen(BaseModel):
    model_config = TABLE


class Prices(_Frozen):
    """Micro-USD per million tokens; written in USD. A cache price of None: not offered."""

    input: MicroUsd
    output: MicroUsd
    cache_read: MicroUsd | None = None
    cache_write_5m: MicroUsd | None = None
    cache_write_1h: MicroUsd | None = None


class LongContext(Prices):
    """The prices of a whole request whose prompt has more than `above` tokens, cached ones
    included."""

    above: Tokens


class Scores(_Frozen):
    """The specification's marks; more is better, and a higher cost is cheaper."""

    intelligence: Score
    speed: Score
    cost: Score


class Profile(_Frozen):
    """An inference profile's prefix: the regions from which it may be asked, as beginnings of
    their names, and its price above the base id's."""

    regions: Annotated[tuple[Word, ...], Field(min_length=1), _LIST]
    surcharge_percent: Annotated[int, Field(ge=0, le=100)] = 0

    def serves(self, region: str) -> bool:
        """Whether it may be asked from this region."""
        return region.startswith(self.regions)


class Model(_Frozen):
    """One model."""

    id: BaseId
    """The base id, without an inference profile's prefix."""
    name: Word
    tier: Tier
    """Its rung on the ladder of selection."""
    scores: Scores

    context: Tokens
    """Tokens of prompt and answer together."""
    max_output: Tokens
    """Upper bound of `maxTokens`."""
    prices: Prices
    long_context: LongContext | None = None
    """Other prices for long prompts."""

    profiles: Annotated[tuple[ProfileName, ...], _LIST] = ()
    """The inference profiles that exist of it."""
    on_demand: bool = False
    """Whether the base id itself may be asked; if not, a profile has to be named."""

    thinking: Annotated[tuple[Literal["budget", "adaptive", "always"], ...], _LIST] = ()
    """How it thinks: by a budget of tokens, adaptively by effort, or always; none: it does not.
    The first one is used."""
    no_thinking: Literal["omit", "disabled", "effort"] = "omit"
    """How a request says that it shall not think: by saying nothing, by `disabled`, or, where it
    cannot be kept from it, by the lowest effort."""
    sampling: Literal["free", "one_of", "none"]
    """Which of temperature and topP a request may carry."""
    tools: bool = True
    forced_tools: bool = False
    """Whether a request may force the use of a tool, while the model does not think."""
    prefill: bool = False
    """Whether a request may begin the answer, while the model does not think."""
    vision: bool = True
    min_cache_tokens: Tokens | None = None
    """Tokens below which a cache point has no effect; None: it does not cache."""

    launched: datetime.date | None = None
    legacy: datetime.date | None = None
    """From this day on, new accounts cannot use it."""
    end_of_life: datetime.date | None = None
    """From this day on, every request fails."""
    successor: BaseId | None = None
    """The model to ask instead, once this one is gone."""

    def retired(self, today: datetime.date) -> bool:
        """Whether every request for it fails."""
        return self.end_of_life is not None and today >= self.end_of_life

    def lifecycle(self, today: datetime.date) -> Literal["active", "legacy", "retired"]:
        """Where it stands in Bedrock's lifecycle."""
        if self.retired(today):
            return "retired"
        return "legacy" if self.legacy is not None and today >= self.legacy else "active"

    def cache_ttls(self) -> tuple[Ttl, ...]:
        """How long it can keep a cached prompt; empty if it cannot."""
        if self.min_cache_tokens is None:
            return ()
        return ("5m",) if self.prices.cache_write_1h is None else ("5m", "1h")


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models by their base ids, other names for them, and the inference profiles."""

    models: Mapping[str, Model]
    aliases: Mapping[str, str]
    profiles: Mapping[str, Profile]
    source: str = SHIPPED.name
    """The file to change."""

    def split(self, model_id: str) -> tuple[str | None, str]:
        """The inference profile's prefix and the rest of an id, or of the id in an ARN."""
        named = model_id.rsplit("/", 1)[-1] if model_id.startswith("arn:") else model_id
        prefix, dot, rest = named.partition(".")
        return (prefix, rest) if dot and prefix in self.profiles else (None, named)

    def find(self, model_id: str) -> Model | None:
        """The model behind a base id, a profile's id, an ARN or another name of any of them."""
        known_as = self.aliases.get(model_id)
        if known_as is None:
            base = self.split(model_id)[1]
            known_as = self.aliases.get(base, base)
        return self.models.get(known_as)

    def surcharge_percent(self, model_id: str) -> int:
        """How much more an id costs than the base id."""
        prefix, _ = self.split(model_id)
        return 0 if prefix is None else self.profiles[prefix].surcharge_percent

    def nearest(
        self, model_id: str, count: int = 3, *, today: datetime.date | None = None
    ) -> list[str]:
        """The base ids that are most like an unknown one; without the retired if told the day."""
        wanted = _bare(self.split(model_id)[1])

        def likeness(known: str) -> float:
            return difflib.SequenceMatcher(None, wanted, _bare(known)).ratio()

        usable = [m.id for m in self.models.values() if today is None or not m.retired(today)]
        return sorted(usable, key=likeness, reverse=True)[:count]


_NOT_ITS_NAME = re.compile(r"^.*anthropic\.|^claude-?|-?\d{8}|-v\d+(:\d+)?$|:\d+$")


def _bare(model_id: str) -> str:
    """What is left of an id for people: `haiku-4-5`."""
    bare = model_id.lower().replace(" ", "-").replace("_", "-")
    for _ in range(2):
        bare = _NOT_ITS_NAME.sub("", bare)
    return bare.replace(".", "-")


@cache
def shipped() -> Catalogue:
    """The catalogue of this package."""
    text, table = _table(SHIPPED)
    return _catalogue(table, SHIPPED.name, text)


def load(path: Path | None) -> Catalogue:
    """The catalogue of this package, with the file at `path` over it. Raises CatalogueError."""
    if path is None:
        return shipped()
    source = str(path)
    text, own = _table(path)
    _check_sections(own, source, text)
    return _catalogue(_merged(_table(SHIPPED)[1], own), source, text)


def _table(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        return read_toml(path, Decimal)
    except TomlError as error:
        raise CatalogueError([str(error)]) from None


_SECTIONS = ("models", "aliases", "profiles")


def _check_sections(table: Mapping[str, Any], source: str, text: str) -> None:
    problems = []
    for key, value in table.items():
        at = placed(source, text, (key,))
        if key not in _SECTIONS:
            problems.append(f"{at}: {key}: is none of the tables {', '.join(_SECTIONS)}")
        elif not isinstance(value, dict):
            problems.append(f"{at}: {key}: must be a table")
        elif key == "models":
            problems += [
                f"{placed(source, text, (key, model))}: {model}: must be a table; a model id is"
                ' written in quotes, as in [models."anthropic.claude-haiku-4-5-20251001-v1:0"]'
                for model, entry in value.items()
                if not isinstance(entry, dict)
            ]
    if problems:
        raise CatalogueError(problems)


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with the keys of `above` over it, tables within tables likewise."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[key] = _merged(old, value) if both else value  # type: ignore[arg-type]
    return merged


def _catalogue(table: Mapping[str, Any], source: str, text: str) -> Catalogue:
    from aybiza.config.contradictions import contradictions

    problems: list[str] = []

    def at(*loc: Any) -> str:
        return placed(source, text, loc)

    models = _entries(Model, table, "models", problems, at)
    profiles = _entries(Profile, table, "profiles", problems, at)
    aliases = table["aliases"]
    problems += [
        f"{at('aliases', name)}: aliases.{name} = {target!r}: must be a model id"
        for name, target in aliases.items()
        if not isinstance(target, str)
    ]
    if not problems:
        catalogue = Catalogue(models, aliases, profiles, source)
        problems = [f"{source}: {problem}" for problem in contradictions(catalogue)]
    if problems:
        raise CatalogueError(problems)
    return catalogue


def _entries(
    kind: type[Any],
    table: Mapping[str, Any],
    section: str,
    problems: list[str],
    at: Callable[..., str],
) -> dict[str, Any]:
    entries = {}
    for key, entry in table[section].items():
        if not isinstance(entry, dict):
            problems.append(f"{at(section, key)}: {key}: must be a table")
            continue
        try:
            entries[key] = kind.model_validate({**entry, "id": key} if kind is Model else entry)
        except ValidationError as error:
            problems += [
                f"{at(section, key, *detail['loc'])}: {key}: {_problem(kind, detail)}"
                for detail in error.errors()
            ]
    return entries


def _problem(kind: type[BaseModel], detail: Any) -> str:
    field = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "missing":
        return f"{field} is missing"
    if detail["type"] == "extra_forbidden":
        near = difflib.get_close_matches(field, kind.model_fields, n=1)
        return f"{field} is unknown" + (f"; did you mean {near[0]}?" if near else "")
    value = detail["input"]
    shown = str(value) if isinstance(value, Decimal) else repr(value)
    return f"{field} = {shown if len(shown) <= 80 else shown[:79] + '…'}: {wanted(detail)}"
