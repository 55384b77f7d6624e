"""Costs, by their recorded cases."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.claude.pricing import calculate_cost, calculate_request_cost
from aybiza.claude.spec_models import UnknownModel
from tests.claude.golden import cases

Case = dict[str, Any]


@pytest.mark.parametrize("case", cases("calculate_cost"))
def test_calculate_cost(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(UnknownModel, match="no figures"):
            calculate_cost(**case["input"])
    else:
        assert calculate_cost(**case["input"]) == case["output"]
        assert calculate_cost(**case["input"], as_printed=True) == case["spec_bug_output"]


@pytest.mark.parametrize("case", cases("calculate_request_cost"))
def test_calculate_request_cost(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(UnknownModel):
            calculate_request_cost(**case["input"])
    else:
        assert calculate_request_cost(**case["input"]) == case["output"]
