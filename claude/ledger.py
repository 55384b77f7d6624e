"""Running totals of what is spent, and the quotas on them.

Contract: pure; the clock is handed in as seconds since 1970, amounts are whole micro-USD. `charge`
enters what a request has cost and says which quotas it has reached; `verdict` says what may still
be asked. A quota is reached when its limit is spent, so that a request that is under way can go
over it. A tenant may have quotas of its own (`aybiza.config.quotas`). Days are UTC's. What is kept
is bounded: calls that are never closed, tenants and days leave in the order in which they came.
Errors: `ValueError` for a negative amount, and for a snapshot that is none; `QuotasError` from
`Quotas.of`, which reads a file if the settings name one.
Source: specification 000, "Phase 5" (quota management, cost tracking); 001, "Cost Management".
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, Self

from aybiza.config.catalogue import MICRO
from aybiza.config.quotas import TenantQuota, load_quotas
from aybiza.config.settings import Settings

Scope = Literal["call", "tenant_day", "day"]
Action = Literal["allow", "degrade", "refuse"]

NO_TENANT: Final = ""
MAX_CALLS: Final = 20_000
MAX_TENANT_DAYS: Final = 20_000
MAX_DAYS: Final = 62
# Of so many calls it is known that they have ended; what comes later of one comes within seconds.
MAX_ENDED: Final = 5_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What a tenant may spend in a call and in a day, in micro-USD, None for no limit; and what
    a reached quota does."""

    call: int | None = None
    tenant_day: int | None = None
    action: Action = "degrade"


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits in micro-USD, None for none, and what a reached one does.

    `call`, `tenant_day` and `action` are those of a tenant that `tenants` does not name; `day` is
    the node's, and acts as `day_action` says, as `action` if that is None. A call that has cost
    `call_ceiling` is refused whatever its action is, for a cheaper model costs something too.
    """

    call: int | None = None
    tenant_day: int | None = None
    day: int | None = None
    action: Action = "degrade"
    tenants: Mapping[str, Limits] = field(default_factory=dict)
    day_action: Action | None = None
    call_ceiling: int | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Those of the settings and of the file that they name. Raises QuotasError."""
        base = Limits(
            _micro_usd(settings.quota_call_usd),
            _micro_usd(settings.quota_tenant_day_usd),
            settings.quota_action,
        )
        day = _micro_usd(settings.quota_day_usd)
        ceiling = _micro_usd(settings.quota_call_ceiling_usd)
        if settings.quotas_file is None:
            return cls(base.call, base.tenant_day, day, base.action, call_ceiling=ceiling)
        file = load_quotas(settings.quotas_file)
        default = _limits(file.default, base)
        return cls(
            default.call,
            default.tenant_day,
            day,
            default.action,
            {tenant: _limits(quota, default) for tenant, quota in file.tenants.items()},
            settings.quota_action,
            ceiling,
        )

    def limits(self, tenant_id: str | None) -> Limits:
        """What holds for this tenant."""
        own = self.tenants.get(tenant_id or NO_TENANT)
        return own or Limits(self.call, self.tenant_day, self.action)


def _limits(quota: TenantQuota, base: Limits) -> Limits:
    """The limits of a table of the file, `base` where it says nothing."""
    return Limits(
        _amount(quota.call_usd, base.call),
        _amount(quota.day_usd, base.tenant_day),
        quota.action or base.action,
    )


def _amount(amount: Decimal | str | None, base: int | None) -> int | None:
    if amount is None:
        return base
    return _micro_usd(amount) if isinstance(amount, Decimal) else None


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
    changes: int = field(default=0, compare=False)
    """How often the totals have changed: for who keeps them."""
    ended: dict[str, None] = field(default_factory=dict, compare=False)
    """Calls that have ended of late: what they still cost is their tenant's and the day's."""

    elsewhere: dict[tuple[str, str], int] = field(default_factory=dict, compare=False)
    """What other nodes have told that they have spent, by (day, tenant)."""
    _elsewhere_day: dict[str, int] = field(default_factory=dict, compare=False)

    def hear(self, day: str, tenants: Mapping[str, int]) -> None:
        """What the other nodes have spent on a day, by tenant: it counts for the quotas, and stands
        in none of this node's totals."""
        self.elsewhere = {(day, tenant): spent for tenant, spent in tenants.items()}
        self._elsewhere_day = {day: sum(tenants.values())}

    def charge(
        self, micro_usd: int, *, call_id: str, now: float, tenant_id: str | None = None
    ) -> list[QuotaReached]:
        """Enter an amount. The quotas whose limit it spends, each once."""
        if micro_usd < 0:
            raise ValueError(f"a cost cannot be {micro_usd} micro-USD")
        before = self._spent(call_id, tenant_id, now)
        day, tenant = day_of(now), tenant_id or NO_TENANT
        if call_id not in self.ended:
            _add(self.calls, call_id, micro_usd, MAX_CALLS)
        _add(self.tenant_days, (day, tenant), micro_usd, MAX_TENANT_DAYS)
        _add(self.days, day, micro_usd, MAX_DAYS)
        self.changes += 1
        return [
            reached
            for reached in self._reached(call_id, tenant_id, now)
            if before[reached.scope] < reached.limit
        ]

    def verdict(self, *, call_id: str, now: float, tenant_id: str | None = None) -> Verdict:
        """What may be asked in this call now."""
        reached = self._reached(call_id, tenant_id, now)
        if not reached:
            return Verdict()
        sternest = max(reached, key=lambda quota: quota.action == "refuse")
        return Verdict(sternest.action, sternest)

    def close(self, call_id: str) -> int:
        """Forget a call that has ended; what it has cost."""
        self.changes += call_id in self.calls
        self.ended[call_id] = None
        if len(self.ended) > MAX_ENDED:
            del self.ended[next(iter(self.ended))]
        return self.calls.pop(call_id, 0)

    def reopen(self, call_id: str) -> None:
        """A call that may have ended here goes on."""
        self.ended.pop(call_id, None)

    def totals(self, now: float) -> dict[str, Any]:
        """What is spent, in micro-USD: `today`, `tenants` of today, open `calls`, `days`."""
        today = day_of(now)
        tenants = {
            tenant: spent for (day, tenant), spent in self.tenant_days.items() if day == today
        }
        return {
            "today": self.days.get(today, 0),
            "tenants": tenants,
            "calls": dict(self.calls),
            "days": dict(self.days),
        }

    def copy(self) -> Ledger:
        """The totals of now, for a thread that writes them down."""
        totals = dict(self.calls), dict(self.tenant_days), dict(self.days)
        return Ledger(self.quotas, *totals, self.changes)

    def snapshot(self) -> dict[str, Any]:
        """The totals as JSON can carry them, to be kept over a restart of the node."""
        return {
            "calls": dict(self.calls),
            "tenant_days": [[*key, spent] for key, spent in self.tenant_days.items()],
            "days": dict(self.days),
        }

    @classmethod
    def restored(cls, quotas: Quotas, snapshot: Mapping[str, Any]) -> Self:
        """The ledger of a snapshot, with the quotas of today. Raises ValueError."""
        try:
            tenant_days = {
                (_text(day), _text(tenant)): _spent(spent)
                for day, tenant, spent in snapshot["tenant_days"]
            }
            calls, days = (
                {_text(key): _spent(spent) for key, spent in snapshot[name].items()}
                for name in ("calls", "days")
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"not the totals of a ledger: {error}") from None
        return cls(quotas, calls, tenant_days, days)

    def _spent(self, call_id: str, tenant_id: str | None, now: float) -> dict[Scope, int]:
        day = day_of(now)
        key = day, tenant_id or NO_TENANT
        return {
            "call": self.calls.get(call_id, 0),
            "tenant_day": self.tenant_days.get(key, 0) + self.elsewhere.get(key, 0),
            "day": self.days.get(day, 0) + self._elsewhere_day.get(day, 0),
        }

    def _reached(self, call_id: str, tenant_id: str | None, now: float) -> list[QuotaReached]:
        spent, quotas = self._spent(call_id, tenant_id, now), self.quotas
        own = quotas.limits(tenant_id)
        limits: tuple[tuple[Scope, str, int | None, Action], ...] = (
            ("day", day_of(now), quotas.day, quotas.day_action or quotas.action),
            ("tenant_day", tenant_id or NO_TENANT, own.tenant_day, own.action),
            ("call", call_id, own.call, own.action),
            ("call", call_id, quotas.call_ceiling, "refuse"),
        )
        return [
            QuotaReached(scope, key, spent[scope], limit, action)
            for scope, key, limit, action in limits
            if limit is not None and spent[scope] >= limit
        ]


def day_of(now: float) -> str:
    """The day (UTC) of a unix time."""
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date().isoformat()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is no name")
    return value


def _spent(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r:.40} is no amount")
    return value


def _add(totals: dict[Any, int], key: Any, amount: int, most: int) -> None:
    totals[key] = totals.get(key, 0) + amount
    if len(totals) > most:
        del totals[next(iter(totals))]
