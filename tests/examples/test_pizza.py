"""The pizzeria: an agent of one's own answers by its rules, on a node without keys."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aybiza.config.agents import load_agent
from aybiza.config.ports import free_port
from aybiza.emulators.phone import Phone, Report
from tests.actors.node.kit import RunningCommand

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
AGENT = EXAMPLES / "pizza.toml"


async def placed(media: str) -> Report:
    async with Phone(media, EXAMPLES / "pizza_call.toml") as phone:
        return await phone.run()


def test_an_order_is_taken_by_the_rules_beside_the_agent(tmp_path: Path) -> None:
    ports = ["--http-port", str(free_port()), "--media-port", str(free_port())]
    with RunningCommand(
        "",
        "--emulated=scripted",
        *ports,
        AYBIZA_AGENT=str(AGENT),
        AYBIZA_MEMORY_PATH=str(tmp_path / "memory.sqlite3"),
    ) as command:
        media = str(command.ready()["media"])
        report = asyncio.run(placed(media))
        command.process.terminate()
        assert command.wait() == 0
    assert report.ok, report.failure
    heard = " ".join(report.heard_text.split())
    assert load_agent(str(AGENT)).greeting in heard
    assert "Your large funghi will be with you in thirty minutes." in heard
    assert "clinic" not in heard.lower()
