"""What speech services, carriers and embeddings charge, as data.

`shipped()` is `service_prices.toml` of this package; `load(path)` is the same with a file of the
user's own over it. Both read files: call them before the event loop has calls to carry. Prices are
whole micro-USD, written in USD with at most six decimals.

    >>> shipped().of("speak", "aura-2-thalia-en")
    30000

Errors: `PricesError` names the file, each wrong value and what is allowed.
Source: list prices of Deepgram, Twilio, Telnyx, SignalWire and Amazon Bedrock.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ValidationError

from aybiza.config.catalogue import MicroUsd
from aybiza.config.tables import TABLE
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import placed

SHIPPED: Final = Path(__file__).with_name("service_prices.toml")

Service = Literal["listen", "speak", "carrier", "embed", "chat_input", "chat_output", "chat_cached"]
_MOST_SHOWN: Final = 80


class PricesError(ValueError):
    """The prices cannot be used; `problems` has a line for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ServicePrices(BaseModel):
    """Micro-USD by the beginning of a name: a minute that is heard, a thousand characters that
    are said, a started minute at a carrier, a million tokens of which the meaning is asked, or that
    a chat model reads, says, or has read before."""

    model_config = TABLE

    listen: dict[str, MicroUsd] = {}
    speak: dict[str, MicroUsd] = {}
    carrier: dict[str, MicroUsd] = {}
    embed: dict[str, MicroUsd] = {}
    chat_input: dict[str, MicroUsd] = {}
    chat_output: dict[str, MicroUsd] = {}
    chat_cached: dict[str, MicroUsd] = {}

    def of(self, service: Service, name: str) -> int | None:
        """The price of the longest beginning of this name; None if nobody knows it."""
        prices: Mapping[str, int] = getattr(self, service)
        known = [beginning for beginning in prices if name.startswith(beginning)]
        return prices[max(known, key=len)] if known else None


@cache
def shipped() -> ServicePrices:
    """The list prices."""
    return load(None)


def load(path: Path | None) -> ServicePrices:
    """The list prices, with those of the file over them. Raises PricesError."""
    text, table = _read(SHIPPED)
    if path is not None:
        text, own = _read(path)
        for service, prices in own.items():
            known = table.get(service)
            both = isinstance(known, dict) and isinstance(prices, dict)
            table[service] = {**table[service], **prices} if both else prices
    try:
        return ServicePrices.model_validate(table)
    except ValidationError as error:
        source = path or SHIPPED
        lines = [
            f"{placed(source, text, each['loc'])}: {_problem(each)}" for each in error.errors()
        ]
        raise PricesError(lines) from None


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        return read_toml(path, Decimal)
    except TomlError as error:
        raise PricesError([str(error)]) from None


def _problem(detail: Any) -> str:
    where = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        services = ", ".join(ServicePrices.model_fields)
        return f"{where} is no service; there are {services}"
    shown = str(detail["input"])[:_MOST_SHOWN]
    return f"{where} = {shown}: must be USD from 0 to 10,000 with at most six decimals"
