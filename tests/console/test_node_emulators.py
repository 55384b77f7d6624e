"""A node tells of emulators of its own, and of no other providers."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors.runtime import VM
from aybiza.config.settings import load
from aybiza.console.control import control
from aybiza.console.node_emulators import keep

BEDROCK, DEEPGRAM = "http://127.0.0.1:9", "ws://127.0.0.1:8"


@pytest.mark.parametrize(
    ("emulated", "bedrock", "own"),
    [
        ("true", BEDROCK, {"bedrock": BEDROCK, "deepgram": DEEPGRAM}),
        ("false", BEDROCK, None),
        ("true", "https://bedrock.example.com", None),
    ],
)
async def test_only_loopback_providers_of_an_emulated_node_are_its_own(
    emulated: str, bedrock: str, own: dict[str, Any] | None
) -> None:
    settings = load(
        {
            "AYBIZA_EMULATED": emulated,
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"{bedrock}/",
            "DEEPGRAM_URL": DEEPGRAM,
        }
    )
    async with VM("one") as vm:
        assert await control(vm, {"op": "emulators"}) == {"emulators": None}
        keep(vm, settings)
        assert await control(vm, {"op": "emulators"}) == {"emulators": own}
