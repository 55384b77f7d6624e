"""ModelSupervisor: the answers that are being generated, one AnswerActor each.

A DynamicSupervisor that also takes `BeginAnswer` itself as a request, so that an actor can have an
answer begun without knowing how its process is specified. An answer that fails is not started
again here: its CallActor decides what to do about the turn.
"""

from __future__ import annotations

from typing import Any

from aybiza.actors import names
from aybiza.actors.call.answer_actor import AnswerActor, BeginAnswer
from aybiza.actors.runtime import From
from aybiza.supervisors.base import Operation
from aybiza.supervisors.child_spec import child
from aybiza.supervisors.dynamic_supervisor import DynamicSupervisor

STOP_SECONDS = 1.0


class ModelSupervisor(DynamicSupervisor):
    """See the module."""

    async def handle_call(self, request: Any, from_: From) -> Any:
        if type(request) is BeginAnswer:
            eager = request.eager is not None
            name = None if eager else names.answer(request.context.call_id, request.turn)
            spec = child(
                AnswerActor, request, name=name, restart="temporary", shutdown=STOP_SECONDS
            )
            request = Operation("start_child", (spec,))
        return await super().handle_call(request, from_)
