"""What the tests of the usual mistakes share: a server that makes them, and their lines."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from aybiza.actors.runtime import VM, Continue, GenServer, Pid, Timeout

HERE = Path(__file__).parent
FILES = [__file__, *(str(HERE / f"test_teaching{part}.py") for part in ("", "_later"))]


def line(mark: str) -> str:
    """The file and the one line that ends with the comment `mark`."""
    (found,) = [
        f"{file}:{number}"
        for file in FILES
        for number, text in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1)
        if text.endswith(f"# {mark}")
    ]
    return found


def pidless(text: str) -> str:
    """`text`, with every pid of the VM "n" as its first."""
    return re.sub(r"<n\.\d+>", "<n.1>", text)


class Counter(GenServer):
    async def init(self, start: int) -> None:  # Counter.init
        self.count = start

    async def handle_call(self, request: Any, from_: Any) -> Any:  # Counter.handle_call
        match request:
            case "self":
                return await self.vm.call(self.pid, "get")  # calls itself
            case "boom":
                raise ValueError("bad")  # raises
            case Continue() | Timeout():
                return request
            case "forgotten":
                return self.total()
            case "block":
                hold()  # blocks
        return self.count

    async def handle_cast(self, request: Any) -> Any:  # Counter.handle_cast
        return request

    async def total(self) -> int:
        return self.count


def hold() -> None:
    time.sleep(0.2)


async def counting(vm: VM) -> Pid:
    pid = await vm.start(Counter, 5, name="counter")
    assert pid is not None
    return pid


async def reported(act: Callable[[], Any]) -> tuple[Any, dict[str, Any]]:
    """What `act` returns, awaited if it can be, and the one entry that the log gets of it."""
    with capture_logs() as logs:
        value = act()
        if isinstance(value, Awaitable):
            value = await value
        await asyncio.sleep(1)
        for _ in range(200):
            if logs:
                break
            await asyncio.to_thread(time.sleep, 0.01)
    (entry,) = logs
    return value, dict(entry)
