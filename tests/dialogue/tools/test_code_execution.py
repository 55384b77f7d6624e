"""Code execution through Lambda: programs that run, fail, hang and flood."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from aybiza.dialogue.tools.aws import Aws
from aybiza.dialogue.tools.code_execution import code_execution_tool
from aybiza.emulators.services import ServicesEmulator
from tests.dialogue.tools.kit import used

FUNCTION = "execute-code"


@pytest.fixture
def slow_aws(services: ServicesEmulator, session: boto3.Session) -> Iterator[Aws]:
    services.functions.seconds = 1.5
    made = Aws(region="us-east-1", read_seconds=8, session=session)
    yield made
    made.close()


async def test_a_program_runs(slow_aws: Aws) -> None:
    tool = code_execution_tool(slow_aws, FUNCTION)
    assert await used(tool, code="sum(range(101))") == {"stdout": "5050\n"}
    assert await used(tool, code="print(15 * 200 / 100)", language="python") == {"stdout": "30.0\n"}


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("1/0", "ZeroDivisionError"),
        ("def", "SyntaxError"),
        ("import time; time.sleep(60)", "took more than"),
    ],
)
async def test_a_program_that_fails_says_why(slow_aws: Aws, code: str, says: str) -> None:
    got = await used(code_execution_tool(slow_aws, FUNCTION), code=code)
    assert got["error"] == "code_failed"
    assert says in got["message"]
    assert len(got["message"]) <= 600


async def test_what_it_prints_is_bounded(slow_aws: Aws) -> None:
    got = await used(code_execution_tool(slow_aws, FUNCTION), code="print('x' * 9999)")
    assert len(got["stdout"]) < 4_100


async def test_a_function_that_raises_and_one_that_is_not_there(
    services: ServicesEmulator, aws: Aws
) -> None:
    async def boom(payload: Any) -> Any:
        raise RuntimeError("out of order")

    services.functions.add("boom", boom)
    got = await used(code_execution_tool(aws, "boom"), code="1")
    assert (got["error"], got["message"]) == ("code_failed", "out of order")
    got = await used(code_execution_tool(aws, "nothing"), code="1")
    assert got["error"] == "refused"


@pytest.mark.parametrize("answer", [7, {"result": [1, 2]}, {}])
async def test_a_function_may_answer_in_its_own_way(
    services: ServicesEmulator, aws: Aws, answer: Any
) -> None:
    async def give(payload: Any) -> Any:
        return answer

    services.functions.add("mine", give)
    got = await used(code_execution_tool(aws, "mine", ["python", "lua"]), code="1", language="lua")
    assert "error" not in got


async def test_a_language_that_is_not_offered_is_told(aws: Aws) -> None:
    got = await used(code_execution_tool(aws, FUNCTION), code="1", language="cobol")
    assert got["error"] == "bad_input"


def test_it_needs_a_function_and_a_language(aws: Aws) -> None:
    for function, languages in (("", ["python"]), ("f", [])):
        with pytest.raises(ValueError, match="needs"):
            code_execution_tool(aws, function, languages)
