"""A call's consent is entered once, before the recording begins; keys are over with the turn."""

from __future__ import annotations

from typing import Any

from aybiza.actors.call.call_recording import CallRecording
from aybiza.actors.recordings.recordings_actor import TABLE, Recordings
from aybiza.actors.runtime import VM, virtual_time
from aybiza.config.recording import Recording
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import AgentSentence, CallerTurn, Entry, SentenceHeard
from aybiza.faults.desk import agent
from aybiza.speech.line import Line
from tests.actors.recordings.test_recordings_actor import Sink


class Context:
    """What of a call's context is looked at."""

    call_id, opened, caller = "CA1", 0.0, ""

    def __init__(self, line: Line, **fields: Any) -> None:
        self.line = line
        self.agent = agent(**fields)

    def about(self, opened: float) -> Any:
        return type("About", (), {"expires": 0.0})


def made(
    vm: VM, conversation: Conversation, **fields: Any
) -> tuple[CallRecording, Line, list[Any]]:
    vm.tables[TABLE] = Recordings()
    line, entered = Line("CA1", Sink(), clock=vm.now), []
    context: Any = Context(line, **fields)
    return CallRecording(vm, context, conversation, lambda e, _: entered.extend(e)), line, entered


def tell(call: CallRecording, conversation: Conversation, *entries: Entry) -> None:
    for entry in entries:
        conversation.apply(entry)
        call.entered(entry)


@virtual_time
async def test_a_consent_is_entered_and_then_the_recording_begins() -> None:
    async with VM() as vm:
        talk = Conversation()
        call, line, entered = made(vm, talk, recording=Recording(consent="told"))
        assert call.opening == ("This call is recorded.", "")
        tell(call, talk, AgentSentence(0, 1, call.opening[0]))
        assert line.tape is not None and line.tape.waits
        tell(call, talk, SentenceHeard(0, 1), SentenceHeard(0, 1))
        assert entered == [{"type": "recording_consent", "how": "told"}]
        assert not line.tape.waits and len(vm.tables[TABLE].running) == 1
        line.press(1, "4")
        assert line.tape.is_paused
        tell(call, talk, CallerTurn(1, "•"))
        assert not line.tape.is_paused


@virtual_time
async def test_nothing_is_held_for_who_refuses_nor_asked_where_nothing_is_recorded() -> None:
    async with VM() as vm:
        talk = Conversation()
        call, line, entered = made(vm, talk, recording=Recording(consent="agreed"))
        tell(call, talk, AgentSentence(0, 1, call.opening[1]), SentenceHeard(0, 1))
        tell(call, talk, CallerTurn(1, "No."))
        assert entered == [{"type": "recording_consent", "how": "refused"}]
        assert line.tape is None and vm.tables[TABLE].running == {}
        call, line, _ = made(vm, Conversation())
        assert (call.opening, line.tape) == (("", ""), None)
