"""CallContext: what every actor of a call is started with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.memory.store import About
from aybiza.actors.runtime import Task
from aybiza.claude.chat.client import ChatClient
from aybiza.claude.chat.models import is_chat
from aybiza.claude.choice import Policy
from aybiza.claude.client import BedrockClient
from aybiza.claude.converse import Guardrail
from aybiza.config.agents import Agent
from aybiza.config.others import is_elevenlabs
from aybiza.config.prices import ServicePrices
from aybiza.dialogue.toolbox import Toolbox
from aybiza.speech.deepgram import Deepgram
from aybiza.speech.elevenlabs import ElevenLabs
from aybiza.speech.line import Line

DAY_SECONDS = 86_400

StartTool: TypeAlias = Callable[..., Awaitable[Task[Any]]]


@dataclass(frozen=True, slots=True)
class CallContext:
    """A call: who answers it (`agent`, as its file has it, its limits filled in), over which line,
    with which means.

    `policy` chooses the model of each turn; `answer_seconds` and `model_rounds`, requests to a
    model, limit one answer in whole; `answers` are for who asks the same; `guardrail` is Bedrock's.
    `tenant` is whom the call is charged to, `country` where it comes from, two letters or "".
    `caller` is the caller's number, "" if withheld; `opened` is the VM's time at which the call
    began, on whichever node; `at_seam`: it comes from another node, and nothing that was said is
    open. `log_transcripts`: whether what is said may stand in the log. `start_tool` runs a
    coroutine function as a task under ToolSupervisor. `carrier` has brought the call, at `prices`;
    `edge`: unix ms at which the edge network has sent it on and at which it came here.
    `chat`: the service that has the agent's `last_model`; `elevenlabs`: further voices.
    `audio`: what is heard of texts that the agent has recordings of, in mu-law.
    `retention_days`: how long its journal stays in the stores, unless the agent says so; 0: always.
    """

    call_id: str
    line: Line
    agent: Agent
    policy: Policy
    bedrock: BedrockClient
    deepgram: Deepgram
    toolbox: Toolbox
    answer_seconds: float
    opened: float
    start_tool: StartTool
    caller: str = ""
    log_transcripts: bool = False
    answers: KnownAnswers | None = None
    guardrail: Guardrail | None = None
    tenant: str = ""
    country: str = ""
    at_seam: bool = False
    model_rounds: int = 12
    carrier: str = ""
    prices: ServicePrices = field(default_factory=ServicePrices)
    edge: tuple[int, int] | None = None
    retention_days: int = 0
    audio: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    chat: ChatClient | None = None
    elevenlabs: ElevenLabs | None = None

    @property
    def speaking(self) -> Agent:
        """The agent in the language that the call is in now."""
        return self.agent.speaking(self.line.language)

    @property
    def logs_words(self) -> bool:
        """Whether what is said may stand in the log."""
        return self.log_transcripts and not self.agent.health_data

    @property
    def known_answers(self) -> KnownAnswers | None:
        """Answers that others were given, and this caller's for others."""
        return None if self.agent.health_data else self.answers

    def client_of(self, model_id: str) -> BedrockClient | ChatClient:
        """Who is asked for an answer of this model."""
        return self.chat if self.chat is not None and is_chat(model_id) else self.bedrock

    def speaker_of(self, voice: str) -> Deepgram | ElevenLabs:
        """Who has this voice."""
        other = self.elevenlabs if is_elevenlabs(voice) else None
        return self.deepgram if other is None else other

    def about(self, opened: float) -> About:
        """What the memory is told of the call, which began at unix time `opened`."""
        caller = "" if self.agent.health_data else self.caller
        days = self.agent.retention_days or self.retention_days
        expires = opened + days * DAY_SECONDS if days else 0.0
        return About(caller, self.agent.name, self.tenant, opened, expires)
