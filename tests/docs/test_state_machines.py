"""The page about state machines: its door does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from aybiza.actors.runtime import VM, virtual_time

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "state_machines.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@virtual_time
async def test_the_door_answers_as_the_comments_of_the_page_say() -> None:
    names: dict[str, Any] = {}
    for block in CODE:
        exec(block, names)
    async with VM() as vm:
        told = await names["visit"](vm)
        assert told == re.findall(r'"([^"]+)"', " ".join(re.findall(r"#(.*)", CODE[1])))
        assert len(told) == 7
        assert vm.now() == pytest.approx(87)


def test_every_name_of_the_runtime_that_it_mentions_exists() -> None:
    from aybiza.actors import runtime

    named = re.findall(r"`([A-Z]\w+)[(`]", PAGE)
    assert len(named) > 8
    assert [name for name in named if not hasattr(runtime, name) and name != "Lock"] == []
