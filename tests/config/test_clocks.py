"""Parts that are handed no clock follow the one that the program has now."""

from __future__ import annotations

import ast
import asyncio

from aybiza.config import clocks
from aybiza.faults.virtual import EPOCH, ambient
from aybiza.gateway.admission.call_owners import KEPT_SECONDS, CallOwners
from tests.test_repository import modules, texts


def test_the_clocks_are_those_of_the_moment() -> None:
    before = clocks.monotonic()
    with ambient() as loop:
        assert clocks.wall() == EPOCH + loop.time()
    assert before <= clocks.monotonic() < before + 3600.0


def test_a_call_is_its_owners_by_the_clock_of_the_program() -> None:
    with ambient() as loop:
        owners = CallOwners()
        owners.claim("CA1", "twilio", "AC1")
        assert not owners.may_have("CA1", "twilio", "AC2")
        loop.run_until_complete(asyncio.sleep(KEPT_SECONDS + 1.0))
        assert owners.may_have("CA1", "twilio", "AC2")


def bound_clocks(text: str) -> list[int]:
    """The lines that bind a clock of `time` where a function or a class is defined."""
    found = []
    for node in ast.walk(ast.parse(text)):
        given: list[ast.expr | None] = []
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                given = [*node.args.defaults, *node.args.kw_defaults]
            case ast.ClassDef():
                given = [each.value for each in node.body if isinstance(each, ast.AnnAssign)]
        for value in given:
            for each in [value, *(word.value for word in getattr(value, "keywords", ()))]:
                if isinstance(each, ast.Attribute) and ast.unparse(each.value) == "time":
                    found.append(each.lineno)
    return found


def test_no_part_binds_the_machines_clock_when_its_module_is_imported() -> None:
    assert bound_clocks("def f(*, now=time.time): ...\nclass A:\n    x: int = time.time\n") == [
        1,
        3,
    ]
    assert {name: lines for name in modules() if (lines := bound_clocks(texts()[name]))} == {}, (
        "take aybiza.config.clocks"
    )
