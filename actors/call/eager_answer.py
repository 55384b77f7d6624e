"""The answer that a call has begun before it is sure that the caller is done; at most one.

    eager = EagerAnswer(vm, pid, context)
    await eager.begin(request)      have it begun, if there is money for what may come to nothing
    eager.drop()                    the caller has gone on
    eager.taken()                   its pid, once, when the end has come: it is the turn's answer

Dropped and taken ones are counted. The answer ends by itself when the CallActor does.

Errors: none; an answer that cannot be begun early is asked when the caller is done.
"""

from __future__ import annotations

from dataclasses import replace

import structlog

from aybiza.actors import names
from aybiza.actors.call.answer_rounds import BeginAnswer
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures import costs, events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import VM, CallExit, Pid

BEGIN_SECONDS = 2.0

log = structlog.get_logger(__name__)


class EagerAnswer:
    """See the module. `owner`: the CallActor."""

    def __init__(self, vm: VM, owner: Pid, context: CallContext) -> None:
        self._vm = vm
        self._owner = owner
        self._context = context
        self._pid: Pid | None = None

    async def begin(self, request: BeginAnswer) -> None:
        """See the module."""
        context = self._context
        spent = costs.verdict(self._vm, call_id=context.call_id, tenant_id=context.tenant)
        if context.line.leaving or spent.action != "allow":
            return
        request = replace(request, eager=self._owner)
        try:
            _, self._pid = await names.call_patiently(
                self._vm, names.MODEL_SUPERVISOR, request, BEGIN_SECONDS
            )
        except CallExit as error:
            log.info("no_eager_answer", call_id=context.call_id, reason=str(error.reason))

    def drop(self) -> None:
        """See the module."""
        if (pid := self._let_go("dropped")) is not None:
            self._vm.cast(pid, "cancel")

    def taken(self) -> Pid | None:
        """See the module."""
        return self._let_go("taken")

    def _let_go(self, outcome: str) -> Pid | None:
        pid, self._pid = self._pid, None
        if pid is not None:
            call_id = self._context.call_id
            emit(self._vm, events.EAGER_ANSWER, call_id=call_id, outcome=outcome)
        return pid
