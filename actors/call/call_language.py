"""The language that a call is in, as its actors follow it.

It stands in the journal, and from there on the line, which all of the call's actors share:
`CallContext.speaking` is the agent in it. `speak_in` puts it there and wakes those that have a
socket: a transcriber whose recogniser hears that language already keeps its own, a speaker takes
the language's voice.

Errors: none.
"""

from __future__ import annotations

import structlog

from aybiza.actors import names
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.runtime import VM

FOLLOW = "language"
"""What the actors with sockets are told: look at the line."""

log = structlog.get_logger(__name__)


def speak_in(vm: VM, context: CallContext, language: str) -> None:
    """The call is in this language from now on; "": in the agent's first."""
    if context.line.language == language:
        return
    context.line.language = language
    log.info("language_changed", call_id=context.call_id, language=language)
    vm.send(names.transcriber(context.call_id), FOLLOW)
    vm.cast(names.speaker(context.call_id), FOLLOW)
