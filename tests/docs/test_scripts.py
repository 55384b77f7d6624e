"""The guide to phone scripts: its example holds, and its tables are those of the code."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from aybiza.console.emulated import _CREDENTIALS
from aybiza.faults import plan
from aybiza.faults.phone_script import Expect, parse, played

DOCUMENT = (Path(__file__).parents[2] / "docs" / "scripts.md").read_text(encoding="utf-8")


def test_the_example_holds() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", DOCUMENT, re.M | re.S)
    assert played(parse(example)).wrong == []


def test_a_node_elsewhere_is_given_keys_without_which_it_asks_no_model() -> None:
    given = re.findall(r"(\w+)=any", DOCUMENT)
    assert {name for name in _CREDENTIALS if "KEY" in name} <= set(given)


def test_all_that_can_be_done_and_expected_is_told() -> None:
    assert all(f"| `{act} = " in DOCUMENT for act in plan._ACTS)
    assert all(f"`{one.name}`" in DOCUMENT for one in fields(Expect))
