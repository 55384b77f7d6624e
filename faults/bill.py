"""What the nodes of a world say that they have charged for, to be held against what they had.

    bill = Bill(world.vms)
    bill.told, bill.answers, bill.heard_s

Errors: none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aybiza.actors.measures import events
from aybiza.actors.runtime import VM
from aybiza.actors.runtime.telemetry import Event
from aybiza.claude.chat.models import is_chat


class Bill:
    """`told`: all that was charged, `answers`: for answers of Bedrock's models that came whole,
    both in micro-USD; `heard_s`: for so many seconds of the caller's audio."""

    def __init__(self, vms: Sequence[VM]) -> None:
        self.told = self.answers = 0
        self.heard_s = 0.0
        for vm in vms:
            vm.telemetry.attach(self, events.COST, self._enter)

    def _enter(
        self, event: Event, amounts: Mapping[str, Any], about: Mapping[str, Any], config: Any
    ) -> None:
        self.told += amounts["micro_usd"]
        is_whole = about["what"] == "model" and not about.get("estimated")
        if is_whole and not is_chat(about.get("model", "")):
            self.answers += amounts["micro_usd"]
        elif about["what"] == "listen":
            self.heard_s += amounts["quantity"]
