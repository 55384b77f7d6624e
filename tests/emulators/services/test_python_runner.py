"""The bounded Python process."""

from __future__ import annotations

import asyncio
import os

import pytest

from aybiza.emulators.services.python_runner import OUTPUT_BYTES, TOO_LONG, run


async def test_what_is_printed_comes_back_and_the_last_value_too() -> None:
    assert await run("print('a')\n'b'") == {"stdout": "a\nb\n", "stderr": "", "exit_code": 0}
    assert (await run("x = 1"))["stdout"] == ""


async def test_an_error_has_its_traceback_and_code() -> None:
    outcome = await run("raise SystemExit(3)")
    assert outcome["exit_code"] == 3
    outcome = await run("1/0")
    assert outcome["exit_code"] == 1
    assert "ZeroDivisionError" in outcome["stderr"]


@pytest.mark.parametrize(
    "code",
    [
        "import time; time.sleep(60)",
        "while True: pass",
        "import os\nif os.fork() == 0:\n    import time; time.sleep(60)",
    ],
    ids=["sleeps", "computes", "leaves a child behind"],
)
async def test_a_program_that_does_not_end_is_ended(code: str) -> None:
    before = children()
    outcome = await run(code, 0.5)
    assert outcome["exit_code"] == TOO_LONG
    assert children() == before


async def test_memory_and_output_are_bounded() -> None:
    assert (await run("x = ' ' * 2_000_000_000"))["exit_code"] != 0
    outcome = await run(f"print('x' * {OUTPUT_BYTES * 4})")
    assert len(outcome["stdout"]) == OUTPUT_BYTES


async def test_it_has_no_environment_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    assert "s3cret" not in (await run("import os; print(os.environ)"))["stdout"]


async def test_cancelling_ends_the_process() -> None:
    before = children()
    task = asyncio.create_task(run("import time; time.sleep(60)", 30))
    while children() == before:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert children() == before


def children() -> set[str]:
    """The child processes of this one."""
    found = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            found.update(file.read().split())
    return found
