"""Random registries do what a plain list does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conformance import registries_more
from tests.conformance.kit import Options
from tests.conformance.registry_model import scenario

SEEDS = 400


@pytest.mark.parametrize("part", range(4))
def test_random_scenarios_are_what_a_plain_list_makes_of_them(part: int) -> None:
    cases = [scenario(seed) for seed in range(part, SEEDS, 4)]
    results = registries_more.run({"cases": cases}, Options())
    assert [result for result in results if result.differences] == []


def test_the_scenarios_reach_every_operation_and_every_kind_of_answer() -> None:
    steps = [step for seed in range(SEEDS) for step in scenario(seed)["steps"]]
    answers: dict[str, list[Any]] = {}
    for step in steps:
        answers.setdefault(step["do"]["op"], []).append(step["return"])
    assert len(answers) == 18
    for operation in ("match", "select", "lookup", "values", "keys", "dispatch"):
        assert any(answer in ([], ["ok", []]) for answer in answers[operation])
        assert any(answer not in ([], ["ok", []]) for answer in answers[operation])
    assert {json.dumps(each) for each in answers["update_value"]} > {
        '"error"',
        '["raise", "ArgumentError"]',
        '["raise", "RuntimeError"]',
    }
    assert "dead" in answers["register"]
    assert any("heard" in step for step in steps)
