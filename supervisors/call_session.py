"""CallSession: the supervision tree of one call.

    CallSession          one_for_one, shut down when its CallActor has ended
    ├─ TranscriberActor  permanent
    ├─ SpeakerActor      permanent
    └─ CallActor         transient, significant

Its own restart is not its supervisor's business (temporary): the connection that holds the caller's
socket sees it go and asks for a new one on the same line.
"""

from __future__ import annotations

from typing import Any

from aybiza.actors import names
from aybiza.actors.call.call_actor import CallActor
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.call.speaker_actor import SpeakerActor
from aybiza.actors.call.transcriber_actor import TranscriberActor
from aybiza.supervisors.child_spec import ChildSpec, child
from aybiza.supervisors.supervisor import Supervisor

# Five crashes within ten seconds are bad luck of one actor; more are a fault of the call.
MAX_RESTARTS = 5
MAX_SECONDS = 10
STOP_SECONDS = 2.0


class CallSession(Supervisor):
    """See the module."""

    async def init(self, context: CallContext) -> Any:  # type: ignore[override]
        call_id = context.call_id
        children = [
            child(
                TranscriberActor,
                context,
                name=names.transcriber(call_id),
                id="transcriber",
                shutdown=STOP_SECONDS,
            ),
            child(
                SpeakerActor,
                context,
                name=names.speaker(call_id),
                id="speaker",
                shutdown=STOP_SECONDS,
            ),
            child(
                CallActor,
                context,
                name=names.call(call_id),
                id="call",
                restart="transient",
                significant=True,
                shutdown=STOP_SECONDS,
            ),
        ]
        await super().init(
            children,
            max_restarts=MAX_RESTARTS,
            max_seconds=MAX_SECONDS,
            auto_shutdown="any_significant",
        )


def call_session(context: CallContext) -> ChildSpec:
    """The spec under which CallSupervisor starts the session of a call."""
    name = names.session(context.call_id)
    return child(CallSession, context, name=name, restart="temporary", shutdown=2 * STOP_SECONDS)
