"""CallContext: what every actor of a call is started with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from actors.runtime import Task
from claude.client import BedrockClient
from config.agents import Agent
from dialogue.answer_cache import AnswerCache
from dialogue.toolbox import Toolbox
from speech.deepgram import Deepgram
from speech.line import Line

StartTool: TypeAlias = Callable[..., Awaitable[Task[Any]]]


@dataclass(frozen=True, slots=True)
class CallContext:
    """A call: who answers it (`agent`, its limits filled in), over which line, with which means.

    `model` and `fallback_region` are for Bedrock, `models` those that may answer in its place, in
    their order; `answer_seconds` limits one answer in whole. `answers` are kept for worse times.
    `caller` is the caller's number, "" if withheld; `opened` is the VM's time at which the call
    began. `log_transcripts`: whether what is said may stand in the log. `start_tool` runs a
    coroutine function as a task under ToolSupervisor.
    """

    call_id: str
    line: Line
    agent: Agent
    model: str
    fallback_region: str | None
    bedrock: BedrockClient
    deepgram: Deepgram
    toolbox: Toolbox
    answer_seconds: float
    opened: float
    start_tool: StartTool
    caller: str = ""
    log_transcripts: bool = False
    models: tuple[str, ...] = ()
    answers: AnswerCache | None = None
