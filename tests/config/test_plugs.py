"""Rows lead to what they name."""

from __future__ import annotations

import pytest

from aybiza.actors.memory.store import JournalStore
from aybiza.config.plugs import CARRIERS, MEMORY_STORES, Plugged
from aybiza.gateway.carriers.carrier import Carrier


def test_every_carrier_is_where_its_row_says() -> None:
    for name, carrier in Plugged[Carrier](CARRIERS).items():
        assert isinstance(carrier, Carrier)
        assert (carrier.name, carrier.codec().carrier) == (name, name)


def test_every_store_is_where_its_row_says() -> None:
    stores = Plugged[type[JournalStore]](MEMORY_STORES)
    assert len(stores) == len({store for store in stores.values() if hasattr(store, "of")})


def test_a_row_that_is_added_is_there_and_nothing_is_imported_before() -> None:
    rows = {"broken": "no_such_module:thing"}
    table = Plugged[object](rows)
    rows["good"] = "decimal:Decimal"
    assert table["good"].__name__ == "Decimal"  # type: ignore[attr-defined]
    assert list(table) == ["broken", "good"]
    with pytest.raises(ModuleNotFoundError):
        table["broken"]
    with pytest.raises(KeyError):
        table["other"]
