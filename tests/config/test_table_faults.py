"""The faults of a file stand in its order, each with its place, its key and what to write."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from aybiza.config.agents import Agent
from aybiza.config.table_faults import faults_of, shown

TEXT = 'name = "Desk"\n[menus.main]\npromt = "x"\nkeys.12.say = "y"\n[hours]\nmon = []\n'


def test_each_fault_has_its_line_and_the_nearest_key_of_its_table() -> None:
    table = {
        "name": "Desk",
        "menus": {"main": {"promt": "x", "keys": {"12": {"say": "y"}}}},
        "hours": {"mon": []},
    }
    with pytest.raises(ValidationError) as caught:
        Agent.model_validate(table)
    assert faults_of(caught.value, Agent, TEXT, "desk.toml", "an agent") == [
        "desk.toml: greeting is missing",
        "desk.toml:2: menus.main.prompt is missing",
        "desk.toml:3: menus.main.promt is no part of an agent; did you mean prompt?",
        "desk.toml:4: menus.main.keys.12: '12' must be one key of a telephone: 0 to 9, * or #",
        "desk.toml:6: hours.mon: 'mon' should be 'monday', 'tuesday', 'wednesday', 'thursday',"
        " 'friday', 'saturday' or 'sunday'",
    ]


def test_a_long_value_is_cut() -> None:
    assert (shown("x"), len(shown("x" * 500))) == ("'x'", 80)
