"""What a node sets about its runtime: the mailbox alarm, and what the collector looks at."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from aybiza.actors.node.context import NodeContext
from aybiza.actors.runtime import GenServer, sys
from aybiza.config.settings import load
from aybiza.console.node import Node, node_main

LIMIT = 60.0


def environment(tmp_path: Path) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "http://127.0.0.1:9",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "DEEPGRAM_URL": "ws://127.0.0.1:9",
        "DEEPGRAM_API_KEY": "key",
        "AYBIZA_HTTP_PORT": "0",
        "AYBIZA_MEDIA_PORT": "0",
        "AYBIZA_MEMORY_PATH": str(tmp_path / "memory.sqlite3"),
        "AYBIZA_MAILBOX_ALARM": "10",
    }


class Slow(GenServer):
    """Its mailbox grows while it is suspended."""


async def test_a_mailbox_over_the_length_that_is_set_is_named_in_the_log(tmp_path: Path) -> None:
    logs: list[MutableMapping[str, Any]]
    with capture_logs() as logs:
        async with asyncio.timeout(LIMIT), Node(load(environment(tmp_path))) as node:
            pid = await node.vm.start(Slow, name="slow")
            assert pid is not None
            await sys.suspend(node.vm, pid)
            for _ in range(10):
                node.vm.send(pid, "more")
            await sys.resume(node.vm, pid)
    alarms = [entry for entry in logs if entry["event"] == "mailbox_alarm"]
    assert [(alarm["name"], alarm["length"]) for alarm in alarms] == [("slow", 10)]


async def test_what_lives_as_long_as_the_node_is_out_of_the_collectors_sight(
    tmp_path: Path,
) -> None:
    ready = asyncio.Event()
    context = NodeContext(
        incarnation=1, settings=environment(tmp_path), on_ready=lambda _info: ready.set()
    )
    gc.unfreeze()
    main = asyncio.create_task(node_main(context))
    async with asyncio.timeout(LIMIT):
        await ready.wait()
        assert gc.get_freeze_count() > len(gc.get_objects())
        context.stop.set()
        await main
    assert gc.get_freeze_count() == 0
