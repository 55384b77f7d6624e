"""Quotas of tenants: a TOML file that says what a call and a day of each may cost.

    [default]                       # every tenant that has no table of its own
    call_usd = 0.50
    day_usd = 20

    [tenants."Lakeside Clinic"]     # a tenant, by the name of its agent
    call_usd = "unlimited"
    day_usd = 250
    action = "refuse"

Amounts are in USD, at most six decimals; `"unlimited"` is no limit. A tenant has the default's
amount and action where its table says nothing, the default those of the settings
(AYBIZA_QUOTA_CALL_USD, AYBIZA_QUOTA_TENANT_DAY_USD, AYBIZA_QUOTA_ACTION).

Errors: `QuotasError` names the file, each wrong value and what is wrong with it.

Source: specification 000, "Phase 5" (quota management).
"""

from __future__ import annotations

import difflib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints, ValidationError

from aybiza.config.fields import Usd
from aybiza.config.kinds import wanted
from aybiza.config.tables import LENIENT
from aybiza.config.toml_file import TomlError, read_toml
from aybiza.config.toml_lines import placed

UNLIMITED: Final = "unlimited"
_SHOWN_CHARACTERS: Final = 80

Tenant = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Amount = Usd | Literal["unlimited"] | None


class QuotasError(ValueError):
    """The file cannot be used; `problems` has a line for each fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class TenantQuota(BaseModel):
    """What a tenant may spend; None: as the default has it."""

    model_config = LENIENT

    call_usd: Amount = None
    """Most that one call may cost."""
    day_usd: Amount = None
    """Most that the tenant's calls may cost in a day (UTC)."""
    action: Literal["degrade", "refuse"] | None = None
    """What a reached quota does: a cheaper model answers, or none does."""


class TenantQuotas(BaseModel):
    """The file."""

    model_config = LENIENT

    default: TenantQuota = TenantQuota()
    tenants: Annotated[dict[Tenant, TenantQuota], Field(max_length=100_000)] = {}


def load_quotas(path: Path) -> TenantQuotas:
    """The quotas of this file.

    Reads a file: call it before the event loop has calls to carry. Raises QuotasError.
    """
    try:
        text, table = read_toml(path, Decimal)
    except TomlError as error:
        raise QuotasError([str(error)]) from None
    try:
        return TenantQuotas.model_validate(table)
    except ValidationError as error:
        lines = dict.fromkeys(
            f"{placed(path, text, detail['loc'])}: {_problem(detail)}" for detail in error.errors()
        )
        raise QuotasError(list(lines)) from None


_ALLOWED: Final = {
    "call_usd": f'must be an amount in USD above 0, such as 2.50, or "{UNLIMITED}"',
    "day_usd": f'must be an amount in USD above 0, such as 2.50, or "{UNLIMITED}"',
    "action": 'must be "degrade" or "refuse"',
}


def _problem(detail: Any) -> str:
    key, where = _place(detail["loc"])
    if detail["loc"][-1] == "[key]":
        return f"tenants: {detail['input']!r:.80} cannot be the name of a tenant"
    if detail["type"] == "extra_forbidden":
        known = [*_ALLOWED] if len(detail["loc"]) > 1 else [*TenantQuotas.model_fields]
        near = difflib.get_close_matches(key, known, n=1)
        return f"{where} is not known" + (f"; did you mean {near[0]}?" if near else "")
    value = repr(detail["input"])
    if isinstance(detail["input"], Decimal):
        value = str(detail["input"])
    if len(value) > _SHOWN_CHARACTERS:
        value = f"{value[: _SHOWN_CHARACTERS - 1]}…"
    return f"{where} = {value}: {_ALLOWED.get(key) or wanted(detail)}"


def _place(loc: tuple[Any, ...]) -> tuple[str, str]:
    """The key at fault, and how it is found in the file."""
    # What follows a key of ours are the branches of its type.
    parts = [str(part) for part in loc]
    at = next((n for n, part in enumerate(parts) if n and part in _ALLOWED), len(parts) - 1)
    shown = [part if part.isidentifier() else f'"{part}"' for part in parts[: at + 1]]
    return parts[at], ".".join(shown)
