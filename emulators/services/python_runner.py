"""Runs a Python program in a process of its own, bounded: what the emulated Lambda function does.

Contract: `run(code)` gives `{"stdout", "stderr", "exit_code"}`; the value of a last line that is an
expression is printed. The program has so many seconds, so much processor time, memory
and output, no environment, and an empty folder. It is no sandbox: the program has the network and
the rights of this process, so it is for programs that a test or a demonstration wrote.
Errors: none; a program that takes too long has exit code 124, as `timeout` gives it.
Source: AWS Lambda, execution environment limits.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from typing import Any, Final

SECONDS: Final = 3.0
TOO_LONG: Final = 124
OUTPUT_BYTES: Final = 64 * 1024
_MEMORY_BYTES: Final = 512 * 1024 * 1024
_KILL_SECONDS: Final = 1.0

# Limits first, then the program; an expression at its end is printed as a notebook would.
_BOOTSTRAP: Final = """
import ast, resource, sys
for what, most in ((resource.RLIMIT_CPU, {cpu}), (resource.RLIMIT_AS, {memory}),
                   (resource.RLIMIT_FSIZE, 1 << 20), (resource.RLIMIT_CORE, 0)):
    resource.setrlimit(what, (most, most))
tree = ast.parse(sys.stdin.read(), "<program>")
last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
world = {{"__name__": "__main__"}}
exec(compile(tree, "<program>", "exec"), world)
if last is not None:
    value = eval(compile(ast.Expression(last.value), "<program>", "eval"), world)
    if value is not None:
        print(value)
"""


async def run(code: str, seconds: float = SECONDS) -> dict[str, Any]:
    """See the module."""
    bootstrap = _BOOTSTRAP.format(cpu=int(seconds) + 1, memory=_MEMORY_BYTES)
    with tempfile.TemporaryDirectory(prefix="aybiza-lambda-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            "-c",
            bootstrap,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=folder,
            env={},
            start_new_session=True,
        )
        assert process.stdin and process.stdout and process.stderr
        try:
            async with asyncio.timeout(seconds):
                _, out, err = await asyncio.gather(
                    _feed(process.stdin, code), _read(process.stdout), _read(process.stderr)
                )
                exit_code = await process.wait()
        except TimeoutError:
            return {"stdout": "", "stderr": f"took more than {seconds:g} s", "exit_code": TOO_LONG}
        finally:
            await _end(process)
    return {"stdout": out, "stderr": err, "exit_code": exit_code}


async def _feed(stdin: asyncio.StreamWriter, code: str) -> None:
    with contextlib.suppress(ConnectionError):
        stdin.write(code.encode("utf-8", "replace"))
        await stdin.drain()
        stdin.close()


async def _read(stream: asyncio.StreamReader) -> str:
    """What comes, up to the limit; the rest is read and dropped, or the program would wait."""
    kept = b""
    while piece := await stream.read(8192):
        kept = (kept + piece)[:OUTPUT_BYTES]
    return kept.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Nothing of the program is left, its children included."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_KILL_SECONDS):
            # To their ends, or the pipes stay open.
            await process.communicate()
