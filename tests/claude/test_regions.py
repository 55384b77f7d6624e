"""Regions, by their recorded cases."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.claude.regions import determine_optimal_region
from tests.claude.golden import cases


@pytest.mark.parametrize("case", cases("determine_optimal_region"))
def test_determine_optimal_region(case: dict[str, Any]) -> None:
    assert determine_optimal_region(**case["input"]) == case["output"]
