"""Node mains for the tests; each runs in a node process of its own."""

import asyncio
import ctypes
import gc
import logging
import os
import sys
import time
from typing import Any

from aybiza.actors.node.context import NodeContext


async def serving(context: NodeContext) -> None:
    """Answers its pid on a TCP port, and control requests; ends in order."""
    server = await asyncio.start_server(_say_pid, "127.0.0.1", int(context.settings["NODE_PORT"]))
    context.serve(_control)
    sys.stdout.write("printed by the node\n")
    below = await asyncio.create_subprocess_exec("echo", "printed below the node")
    await below.wait()
    port = server.sockets[0].getsockname()[1]
    context.ready({"node": "test@here", "tcp": f"127.0.0.1:{port}"})
    await context.stop.wait()
    server.close()
    sys.stdout.write("closed in order\n")


async def _say_pid(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(str(os.getpid()).encode())
    await writer.drain()
    writer.close()


async def _control(request: dict[str, Any]) -> dict[str, Any]:
    match request:
        case {"sleep": seconds}:
            await asyncio.sleep(seconds)
        case {"block": seconds}:
            asyncio.get_running_loop().call_later(0.1, time.sleep, seconds)
        case {"log": text}:
            logging.getLogger("a.library").warning(text)
        case {"frozen": _}:
            return {"frozen": not any(each is globals() for each in gc.get_objects())}
        case {"variable": name}:
            return {"value": os.environ.get(name)}
        case {"fail": text}:
            raise ValueError(text)
        case {"object": _}:
            return {"object": object()}
        case {"fault": _}:
            asyncio.get_running_loop().call_later(0.1, ctypes.string_at, 0)
        case {"spawn": seconds}:
            return {"pid": (await asyncio.create_subprocess_exec("sleep", str(seconds))).pid}
    return {"echo": request, "pid": os.getpid()}


async def failing(_context: NodeContext) -> None:
    """Cannot start."""
    raise ExceptionGroup("two doors", [OSError("the door is locked"), OSError("so is the other")])


async def never_ready(context: NodeContext) -> None:
    """Starts for ever."""
    await context.stop.wait()


async def crashing(context: NodeContext) -> None:
    """Crashes as soon as it is up."""
    context.ready({})
    raise RuntimeError("crashed again")


async def draining(context: NodeContext) -> None:
    """Asks for time when it is told to end, and needs two seconds."""
    context.ready({})
    await context.stop.wait()
    context.draining(10.0)
    await asyncio.sleep(2.0)
    sys.stdout.write("drained\n")


async def stubborn(context: NodeContext) -> None:
    """Does not end when it is told to."""
    context.ready({})
    while True:
        await context.stop.wait()
        await asyncio.sleep(1)


async def leaving_tasks(context: NodeContext) -> None:
    """Ends in order but for a task that nobody owns and a thread that blocks."""
    context.ready({})
    task = asyncio.create_task(asyncio.sleep(3600))
    thread = asyncio.create_task(asyncio.to_thread(time.sleep, 3600))
    await context.stop.wait()
    sys.stdout.write(f"ended {task.done()} {thread.done()}\n")


def no_coroutine() -> None:
    """Is no node main."""
