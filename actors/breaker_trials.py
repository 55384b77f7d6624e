"""BreakerTrials: has a model tried that was left alone, so that no caller's turn is the trial.

    child(BreakerTrials, bedrock, chat, name=names.BREAKER_TRIALS)

A breaker that has been open for long enough gives leave for one trial. Whoever asks first has it,
and a caller would wait for a model that may still hang. So this asks, as soon as there is leave:
for one token, to a word that is nobody's. The answer closes the breaker, a failure opens it anew,
and the next trial comes after that. Meanwhile callers are answered by other models. What a trial
costs, some ten tokens while a model is down, is on the account and on no call's bill.

Errors: none reach a call. Source: Bedrock guide, section 5 (`CircuitBreaker`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog

from aybiza.actors.circuit_breaker_actor import TOPIC, BreakerChanged, call_with_circuit_breaker
from aybiza.actors.registry_actor import subscribe
from aybiza.actors.runtime import GenServer, Pid, Task
from aybiza.claude.chat.client import ChatClient
from aybiza.claude.chat.models import is_chat
from aybiza.claude.client import BedrockClient

SECONDS: Final = 10.0
FIRST_EVENT_SECONDS: Final = 4.0
"""A model that takes longer to begin is none that a caller should wait for."""
LEAVE_SECONDS: Final = 0.001
"""Leave is given when more time has passed than was said."""

VOICE: Final = "voice:"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Try:
    """It is time for a trial of this model."""

    model: str


class BreakerTrials(GenServer):
    """See the module. `chat`: None, no agent has a model of a chat service."""

    async def init(self, bedrock: BedrockClient, chat: ChatClient | None = None) -> None:
        self._bedrock = bedrock
        self._chat = chat
        self._trials: dict[str, Pid] = {}
        subscribe(self.vm, TOPIC)

    async def handle_info(self, message: Any) -> None:
        match message:
            # A voice is tried otherwise (`VoiceTrials`).
            case BreakerChanged(model, "open", left_ms=left) if not model.startswith(VOICE):
                self.send_after(_Try(model), left / 1000.0 + LEAVE_SECONDS)
            case _Try(model) if not self._is_under_way(model):
                self._trials[model] = Task.start(self.vm, self._try, model).pid

    def _is_under_way(self, model: str) -> bool:
        return model in self._trials and self.vm.alive(self._trials[model])

    async def _try(self, model: str) -> None:
        kind, outcome = await call_with_circuit_breaker(
            self.vm, model, partial(self._asked, model), timeout=SECONDS
        )
        told = {} if kind == "ok" else {"reason": str(outcome)}
        log.info("model_tried", model=model, works=kind == "ok", **told)

    async def _asked(self, model: str) -> None:
        request = {
            "modelId": model,
            "messages": [{"role": "user", "content": [{"text": "Hello."}]}],
            "inferenceConfig": {"maxTokens": 1},
        }
        client = self._chat if self._chat is not None and is_chat(model) else self._bedrock
        stream = client.stream(request, timeout=SECONDS, first_event_timeout=FIRST_EVENT_SECONDS)
        async with stream:
            async for event in stream:
                if "messageStop" in event:
                    return
