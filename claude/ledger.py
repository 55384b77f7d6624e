"""Running totals of what is spent, and the quotas on them.

Contract: pure; the clock is handed in as seconds since 1970, amounts are whole micro-USD. `charge`
enters what a request has cost and says which quotas it has reached; `verdict` says what may still
be asked. A quota is reached when its limit is spent, so that a request that is under way can go
over it. Days are UTC's. What is kept is bounded: calls that are never closed, tenants and days
leave in the order in which they came.
Errors: `ValueError` for a negative amount.
Source: specification 000, "Phase 5" (quota management, cost tracking); 001, "Cost Management".
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, Self

from config.catalogue import MICRO
from config.settings import Settings

Scope = Literal["call", "tenant_day", "day"]
Action = Literal["allow", "degrade", "refuse"]

NO_TENANT: Final = ""
MAX_CALLS: Final = 20_000
MAX_TENANT_DAYS: Final = 20_000
MAX_DAYS: Final = 62


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits in micro-USD, None for none, and what a reached one does."""

    call: int | None = None
    tenant_day: int | None = None
    day: int | None = None
    action: Action = "degrade"

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of the settings."""
        return cls(
            call=_micro_usd(settings.quota_call_usd),
            tenant_day=_micro_usd(settings.quota_tenant_day_usd),
            day=_micro_usd(settings.quota_day_usd),
            action=settings.quota_action,
        )


def _micro_usd(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * MICRO)


@dataclass(frozen=True, slots=True)
class QuotaReached:
    """A quota's limit has just been spent. key: the call, the tenant or the day."""

    scope: Scope
    key: str
    spent: int
    limit: int
    action: Action


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may be asked now, and which quota says so."""

    action: Action = "allow"
    reached: QuotaReached | None = None


@dataclass(slots=True)
class Ledger:
    """See the module. The totals are for reading: by call, by (day, tenant), by day."""

    quotas: Quotas = field(default_factory=Quotas)
    calls: dict[str, int] = field(default_factory=dict)
    tenant_days: dict[tuple[str, str], int] = field(default_factory=dict)
    days: dict[str, int] = field(default_factory=dict)

    def charge(
        self, micro_usd: int, *, call_id: str, now: float, tenant_id: str | None = None
    ) -> list[QuotaReached]:
        """Enter an amount. The quotas whose limit it spends, each once."""
        if micro_usd < 0:
            raise ValueError(f"a cost cannot be {micro_usd} micro-USD")
        before = self._spent(call_id, tenant_id, now)
        day, tenant = _day(now), tenant_id or NO_TENANT
        _add(self.calls, call_id, micro_usd, MAX_CALLS)
        _add(self.tenant_days, (day, tenant), micro_usd, MAX_TENANT_DAYS)
        _add(self.days, day, micro_usd, MAX_DAYS)
        return [
            reached
            for reached in self._reached(call_id, tenant_id, now)
            if before[reached.scope] < reached.limit
        ]

    def verdict(self, *, call_id: str, now: float, tenant_id: str | None = None) -> Verdict:
        """What may be asked in this call now."""
        reached = self._reached(call_id, tenant_id, now)
        return Verdict(self.quotas.action, reached[0]) if reached else Verdict()

    def close(self, call_id: str) -> int:
        """Forget a call that has ended; what it has cost."""
        return self.calls.pop(call_id, 0)

    def totals(self, now: float) -> dict[str, Any]:
        """What is spent, in micro-USD: `today`, `tenants` of today, open `calls`, `days`."""
        today = _day(now)
        tenants = {
            tenant: spent for (day, tenant), spent in self.tenant_days.items() if day == today
        }
        return {
            "today": self.days.get(today, 0),
            "tenants": tenants,
            "calls": dict(self.calls),
            "days": dict(self.days),
        }

    def snapshot(self) -> dict[str, Any]:
        """The totals as JSON can carry them, to be kept over a restart of the node."""
        return {
            "calls": dict(self.calls),
            "tenant_days": [[*key, spent] for key, spent in self.tenant_days.items()],
            "days": dict(self.days),
        }

    @classmethod
    def restored(cls, quotas: Quotas, snapshot: Mapping[str, Any]) -> Self:
        """The ledger of a snapshot, with the quotas of today."""
        tenant_days = {(day, tenant): spent for day, tenant, spent in snapshot["tenant_days"]}
        return cls(quotas, dict(snapshot["calls"]), tenant_days, dict(snapshot["days"]))

    def _spent(self, call_id: str, tenant_id: str | None, now: float) -> dict[Scope, int]:
        day = _day(now)
        return {
            "call": self.calls.get(call_id, 0),
            "tenant_day": self.tenant_days.get((day, tenant_id or NO_TENANT), 0),
            "day": self.days.get(day, 0),
        }

    def _reached(self, call_id: str, tenant_id: str | None, now: float) -> list[QuotaReached]:
        spent = self._spent(call_id, tenant_id, now)
        limits: tuple[tuple[Scope, str, int | None], ...] = (
            ("day", _day(now), self.quotas.day),
            ("tenant_day", tenant_id or NO_TENANT, self.quotas.tenant_day),
            ("call", call_id, self.quotas.call),
        )
        return [
            QuotaReached(scope, key, spent[scope], limit, self.quotas.action)
            for scope, key, limit in limits
            if limit is not None and spent[scope] >= limit
        ]


def _day(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date().isoformat()


def _add(totals: dict[Any, int], key: Any, amount: int, most: int) -> None:
    totals[key] = totals.get(key, 0) + amount
    if len(totals) > most:
        del totals[next(iter(totals))]
