"""What is spent, and what may still be."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.claude import ledger as module
from aybiza.claude.ledger import Ledger, Limits, QuotaReached, Quotas, Verdict
from aybiza.config.settings import load

NOON = 1_795_262_400.0  # 2026-11-21T12:00:00Z
DAY = 86_400.0


def test_totals_run_by_call_tenant_and_day() -> None:
    ledger = Ledger()
    ledger.charge(100, call_id="CA1", tenant_id="clinic", now=NOON)
    ledger.charge(20, call_id="CA1", tenant_id="clinic", now=NOON + DAY)
    ledger.charge(3, call_id="CA2", now=NOON + DAY)
    assert ledger.totals(NOON + DAY) == {
        "today": 23,
        "tenants": {"clinic": 20, "": 3},
        "calls": {"CA1": 120, "CA2": 3},
        "days": {"2026-11-21": 100, "2026-11-22": 23},
    }


def test_a_day_is_utcs() -> None:
    ledger = Ledger()
    ledger.charge(1, call_id="CA1", now=NOON + DAY / 2 - 0.001)
    ledger.charge(1, call_id="CA1", now=NOON + DAY / 2)
    assert ledger.days == {"2026-11-21": 1, "2026-11-22": 1}


def test_a_clock_that_is_put_gives_no_day_a_second_quota_and_loses_no_amount() -> None:
    ledger = Ledger(Quotas(tenant_day=100, action="refuse"))
    midnight = NOON + DAY / 2

    def may(now: float) -> str:
        return ledger.verdict(call_id="CA2", tenant_id="clinic", now=now).action

    ledger.charge(100, call_id="CA1", tenant_id="clinic", now=midnight - 0.001)
    assert (may(midnight - 0.001), may(midnight)) == ("refuse", "allow")
    ledger.charge(40, call_id="CA1", tenant_id="clinic", now=midnight)
    # Put back behind midnight, the day is the one that was spent; years ahead, and back again, too.
    assert may(midnight - 5.0) == "refuse"
    ledger.charge(10, call_id="CA1", tenant_id="clinic", now=midnight + 4000 * DAY)
    assert [may(midnight - 5.0), may(midnight + 5.0)] == ["refuse", "allow"]
    assert sum(ledger.days.values()) == ledger.calls["CA1"] == 150


def test_a_call_that_has_ended_is_forgotten_and_what_it_cost_is_told() -> None:
    ledger = Ledger()
    ledger.charge(7, call_id="CA1", now=NOON)
    assert (ledger.close("CA1"), ledger.close("CA1"), ledger.calls) == (7, 0, {})
    assert ledger.days == {"2026-11-21": 7}


def test_what_a_call_costs_behind_its_end_is_the_days_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_ENDED", 2)
    book = Ledger()
    book.charge(5, call_id="CA1", now=NOON)
    assert book.close("CA1") == 5
    book.charge(3, call_id="CA1", now=NOON)
    assert (book.calls, sum(book.days.values())) == ({}, 8)
    book.reopen("CA1")
    book.charge(2, call_id="CA1", now=NOON)
    assert book.calls == {"CA1": 2}
    for call in ("CA2", "CA3", "CA4"):
        book.close(call)
    assert list(book.ended) == ["CA3", "CA4"]


@pytest.mark.parametrize(
    ("quotas", "scope", "key"),
    [
        (Quotas(call=100), "call", "CA1"),
        (Quotas(tenant_day=100), "tenant_day", "clinic"),
        (Quotas(day=100), "day", "2026-11-21"),
    ],
)
@pytest.mark.parametrize("action", ["degrade", "refuse"])
def test_a_quota_acts_from_its_limit_on_and_is_told_once(
    quotas: Quotas, scope: str, key: str, action: str
) -> None:
    ledger = Ledger(replace(quotas, action=action))  # type: ignore[arg-type]
    where = {"call_id": "CA1", "tenant_id": "clinic", "now": NOON}
    assert ledger.charge(99, **where) == []  # type: ignore[arg-type]
    assert ledger.verdict(**where) == Verdict()  # type: ignore[arg-type]
    event = QuotaReached(scope, key, 100, 100, action)  # type: ignore[arg-type]
    assert ledger.charge(1, **where) == [event]  # type: ignore[arg-type]
    assert ledger.verdict(**where) == Verdict(action, event)  # type: ignore[arg-type]
    assert ledger.charge(1, **where) == []  # type: ignore[arg-type]


def test_quotas_of_a_call_a_tenant_and_a_day_leave_others_alone() -> None:
    ledger = Ledger(Quotas(call=10, tenant_day=10, action="refuse"))
    ledger.charge(10, call_id="CA1", tenant_id="clinic", now=NOON)
    assert ledger.verdict(call_id="CA2", tenant_id="desk", now=NOON).action == "allow"
    assert ledger.verdict(call_id="CA2", tenant_id="clinic", now=NOON).action == "refuse"
    assert ledger.verdict(call_id="CA2", tenant_id="clinic", now=NOON + DAY).action == "allow"
    assert ledger.verdict(call_id="CA1", tenant_id="clinic", now=NOON + DAY).action == "refuse"


def test_one_amount_can_reach_every_quota() -> None:
    ledger = Ledger(Quotas(call=1, tenant_day=2, day=3))
    events = ledger.charge(5, call_id="CA1", tenant_id="clinic", now=NOON)
    assert [event.scope for event in events] == ["day", "tenant_day", "call"]


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 micro-USD"):
        Ledger().charge(-1, call_id="CA1", now=NOON)


def test_quotas_come_from_the_settings_in_micro_usd() -> None:
    assert Quotas.of(load({})) == Quotas(call_ceiling=5_000_000)
    settings = load(
        {
            "AYBIZA_QUOTA_CALL_USD": "0.30",
            "AYBIZA_QUOTA_TENANT_DAY_USD": "25",
            "AYBIZA_QUOTA_DAY_USD": "99.999999",
            "AYBIZA_QUOTA_ACTION": "REFUSE",
            "AYBIZA_QUOTA_CALL_CEILING_USD": "2",
        }
    )
    assert Quotas.of(settings) == Quotas(
        300_000, 25_000_000, 99_999_999, "refuse", call_ceiling=2_000_000
    )


QUOTAS = """
[default]
call_usd = 0.20
[tenants."Lakeside Clinic"]
call_usd = "unlimited"
day_usd = 250
action = "refuse"
[tenants.desk]
day_usd = 0.000001
"""


def test_a_tenant_has_its_own_quotas_then_the_files_default_then_the_settings(
    tmp_path: Path,
) -> None:
    path = tmp_path / "quotas.toml"
    path.write_text(QUOTAS)
    settings = load(
        {
            "AYBIZA_QUOTAS_FILE": str(path),
            "AYBIZA_QUOTA_CALL_USD": "9",
            "AYBIZA_QUOTA_TENANT_DAY_USD": "25",
        }
    )
    quotas = Quotas.of(settings)
    assert quotas.limits("Lakeside Clinic") == Limits(None, 250_000_000, "refuse")
    assert quotas.limits("desk") == Limits(200_000, 1, "degrade")
    assert quotas.limits("another") == quotas.limits(None) == Limits(200_000, 25_000_000)


def test_what_one_tenant_may_not_another_may() -> None:
    quotas = Quotas(tenant_day=100, tenants={"big": Limits(None, 1_000, "refuse")})
    ledger = Ledger(quotas)
    for tenant in ("big", "small"):
        ledger.charge(100, call_id=tenant, tenant_id=tenant, now=NOON)
    assert ledger.verdict(call_id="big", tenant_id="big", now=NOON).action == "allow"
    assert ledger.verdict(call_id="small", tenant_id="small", now=NOON).action == "degrade"
    (event,) = ledger.charge(900, call_id="big", tenant_id="big", now=NOON)
    assert event == QuotaReached("tenant_day", "big", 1_000, 1_000, "refuse")
    assert ledger.verdict(call_id="big", tenant_id="big", now=NOON).action == "refuse"


def test_of_several_reached_quotas_the_sternest_holds() -> None:
    ledger = Ledger(Quotas(day=1, tenants={"clinic": Limits(call=1, action="refuse")}))
    ledger.charge(1, call_id="CA1", tenant_id="clinic", now=NOON)
    verdict = ledger.verdict(call_id="CA1", tenant_id="clinic", now=NOON)
    assert verdict.reached is not None
    assert (verdict.action, verdict.reached.scope) == ("refuse", "call")
    assert ledger.verdict(call_id="CA2", tenant_id="desk", now=NOON).action == "degrade"


def test_the_nodes_day_acts_as_the_settings_say_whatever_the_files_default(
    tmp_path: Path,
) -> None:
    path = tmp_path / "quotas.toml"
    path.write_text('[default]\naction = "refuse"')
    env = {"AYBIZA_QUOTAS_FILE": str(path), "AYBIZA_QUOTA_DAY_USD": "1"}
    ledger = Ledger(Quotas.of(load(env)))
    ledger.charge(1_000_000, call_id="CA1", now=NOON)
    assert ledger.verdict(call_id="CA1", now=NOON).action == "degrade"


@pytest.mark.parametrize(
    "snapshot",
    [
        {},
        [],
        None,
        {"calls": {}, "days": {}},
        {"calls": {}, "days": {}, "tenant_days": [["2026-11-21", "clinic"]]},
        {"calls": {}, "days": {}, "tenant_days": [["2026-11-21", 5, 1]]},
        {"calls": {}, "days": {"2026-11-21": "1"}, "tenant_days": []},
        {"calls": {"CA1": -1}, "days": {}, "tenant_days": []},
        {"calls": [], "days": {}, "tenant_days": []},
    ],
)
def test_what_is_no_snapshot_is_refused(snapshot: Any) -> None:
    with pytest.raises(ValueError, match="not the totals of a ledger"):
        Ledger.restored(Quotas(), snapshot)


def test_changes_are_counted_and_a_copy_stays_as_it_was() -> None:
    ledger = Ledger()
    ledger.charge(5, call_id="CA1", now=NOON)
    copy = ledger.copy()
    assert (copy, copy.changes) == (ledger, 1)
    ledger.charge(5, call_id="CA1", now=NOON)
    ledger.close("CA1")
    ledger.close("CA1")
    assert (ledger.changes, copy.calls, copy.days) == (3, {"CA1": 5}, {"2026-11-21": 5})


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_CALLS", "MAX_TENANT_DAYS", "MAX_DAYS"):
        monkeypatch.setattr(module, name, 3)
    ledger = Ledger()
    for number in range(9):
        now = NOON + number * DAY
        ledger.charge(1, call_id=f"CA{number}", tenant_id=f"t{number}", now=now)
    assert list(ledger.calls) == ["CA6", "CA7", "CA8"]
    assert len(ledger.tenant_days) == len(ledger.days) == 3


CHARGES = st.lists(
    st.tuples(
        st.integers(0, 10**9),
        st.sampled_from(["CA1", "CA2", "CA3"]),
        st.sampled_from([None, "clinic", "desk"]),
        st.integers(0, 4).map(lambda days: NOON + days * DAY),
    ),
    max_size=30,
)


@given(CHARGES)
def test_nothing_is_lost_or_counted_twice(
    charges: list[tuple[int, str, str | None, float]],
) -> None:
    ledger = Ledger()
    by_call: Counter[str] = Counter()
    for amount, call, tenant, now in charges:
        ledger.charge(amount, call_id=call, tenant_id=tenant, now=now)
        by_call[call] += amount
    total = sum(amount for amount, *_ in charges)
    assert ledger.calls == by_call
    assert sum(ledger.days.values()) == sum(ledger.tenant_days.values()) == total


@given(CHARGES)
def test_a_ledger_comes_back_from_json_as_it_was(
    charges: list[tuple[int, str, str | None, float]],
) -> None:
    quotas = Quotas(day=5)
    ledger = Ledger(quotas)
    for amount, call, tenant, now in charges:
        ledger.charge(amount, call_id=call, tenant_id=tenant, now=now)
    kept = json.loads(json.dumps(ledger.snapshot()))
    assert Ledger.restored(quotas, kept) == ledger
