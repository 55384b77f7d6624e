"""Call transfer: to whom, and that the model never sees a number."""

from __future__ import annotations

import pytest

from aybiza.dialogue.tools.transfer import Destination, call_transfer_tool
from tests.dialogue.tools.kit import used

SALES = Destination("sales", "+14155550100", "prices and orders")
DESK = Destination("front desk", "sip:desk@example.org")


async def test_the_caller_is_put_through() -> None:
    tool = call_transfer_tool([SALES, DESK])
    assert tool.effect == "transfer"
    got = await used(tool, destination="sales", reason="wants a price")
    assert got == {"transferring": True, "to": "sales"}


async def test_a_destination_that_is_none_is_an_error_result() -> None:
    got = await used(call_transfer_tool([SALES]), destination="the moon")
    assert got["error"] == "bad_input"


def test_the_model_knows_when_but_no_number() -> None:
    tool = call_transfer_tool([SALES, DESK])
    assert "sales: prices and orders" in tool.description
    assert "555" not in tool.description + str(tool.input_schema)


@pytest.mark.parametrize("number", ["555-0100", "+0123456789", "tel:1", "sip:", "+1 415 555 0100"])
def test_a_number_that_cannot_be_dialled_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"E\.164"):
        Destination("sales", number)


def test_there_has_to_be_somebody() -> None:
    with pytest.raises(ValueError, match="at least one"):
        call_transfer_tool([])
