"""Regions, by their recorded cases."""

from __future__ import annotations

import doctest
from typing import Any

import pytest

from aybiza.claude import regions
from aybiza.claude.regions import determine_optimal_region
from tests.cases import each
from tests.claude.golden import cases


@each(cases("determine_optimal_region"))
def test_determine_optimal_region(case: dict[str, Any]) -> None:
    assert determine_optimal_region(**case["input"]) == case["output"]


@pytest.mark.parametrize("context", [{}, {"cloudflare_country": "BR"}, {"cloudflare_country": ""}])
def test_a_call_from_elsewhere_stays_in_its_nodes_region(context: dict[str, Any]) -> None:
    assert determine_optimal_region(context, rules="call", home="sa-east-1") == "sa-east-1"


def test_the_examples_hold() -> None:
    ran = doctest.testmod(regions)
    assert ran.attempted > 0
    assert ran.failed == 0
