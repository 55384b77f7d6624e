"""A call that was placed: person or machine, the message behind the beep, and crashes between."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aybiza.config.agents import Agent
from aybiza.config.outgoing import Outgoing
from aybiza.dialogue.conversation import Conversation, Phase
from aybiza.dialogue.events import (
    CallerFinished,
    CallerInterim,
    CallerSaid,
    CallerSpeaking,
    Command,
    DigitPressed,
    Event,
    Heard,
    HungUp,
    Record,
    Say,
    Started,
    StartTimer,
    StopTalking,
    StopTimer,
    TalkStopped,
    TimerFired,
    ToneHeard,
)
from aybiza.dialogue.journal import Answered, Dialled, decode, encode
from aybiza.dialogue.outbound.outgoing import OutgoingTurns, turns_of
from aybiza.dialogue.turns import TurnMachine

MESSAGE = "This is the desk. Please call us back."
PLAN = Outgoing(greeting="Hello, it is the desk.", voicemail="leave", message=MESSAGE)
AGENT = Agent(name="Desk", greeting="Welcome.", closing="Goodbye.", outbound=PLAN)
TONE = ToneHeard(1_000, 0.4)


class Call:
    """A placed call: its machine, its journal, its timers and what was said."""

    def __init__(self, **plan: Any) -> None:
        self.agent = AGENT.model_copy(update={"outbound": PLAN.model_copy(update=plan)})
        self.journal: list[Any] = [Dialled("a1")]
        self.timers: dict[str, float] = {}
        self.said: list[tuple[int, int, str]] = []
        self.now = 0.0
        self.restart(Started())

    def restart(self, event: Event) -> None:
        conversation = Conversation()
        for entry in self.journal:
            conversation.apply(entry)
        machine = turns_of(self.agent, conversation)
        assert isinstance(machine, OutgoingTurns)
        self.machine = machine
        self.timers.clear()
        self.tell(event)

    def tell(self, *events: Event, after: float = 0.5) -> None:
        for event in events:
            self.now += after
            commands = self.machine.handle(replace(event, at=self.now))
            if commands and isinstance(commands[0], StopTalking):
                stop = commands[0]
                commands += self.machine.handle(TalkStopped(stop.turn, stop.seq, 0.5, at=self.now))
            assert StopTalking not in map(type, commands[1:])
            self._do(commands)

    def _do(self, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case Record(entry):
                    assert decode(encode(entry)) == entry
                    self.journal.append(entry)
                case StartTimer(name, seconds):
                    self.timers[name] = seconds
                case StopTimer(name):
                    self.timers.pop(name, None)
                case Say(turn, seq, text):
                    self.said.append((turn, seq, text))

    def fire(self, name: Any) -> None:
        seconds = self.timers.pop(name)
        self.tell(TimerFired(name), after=seconds)

    def hear(self) -> None:
        """All that is to be said is heard."""
        turn = self.machine.conversation.turn
        assert turn is not None
        for seq in turn.unheard():
            self.tell(Heard(turn.number, seq))

    @property
    def met(self) -> list[tuple[str, str]]:
        return [(one.by, one.why) for one in self.journal if isinstance(one, Answered)]

    @property
    def words(self) -> str:
        return " ".join(text for _, seq, text in self.said if seq)

    @property
    def ended(self) -> str | None:
        return self.machine.conversation.ended


def hello(call: Call) -> None:
    call.tell(CallerSpeaking(), CallerInterim("Hel"), CallerSaid("Hello?"), CallerFinished())


def test_only_a_call_that_was_placed_asks_who_is_there() -> None:
    machine = turns_of(AGENT, Conversation())
    assert type(machine) is TurnMachine
    commands = machine.handle(Started())
    assert Say(0, 1, "Welcome.") in commands


def test_a_person_is_greeted_behind_their_hello() -> None:
    call = Call()
    assert (call.words, call.timers) == ("", {"answering": 3.0})
    hello(call)
    assert call.met == [("human", "hello")]
    assert call.words == PLAN.greeting
    assert "answering" not in call.timers
    call.hear()
    call.tell(CallerSaid("What is it about?"), CallerFinished())
    assert call.machine.phase is Phase.THINKING


def test_the_model_is_told_that_it_has_placed_the_call() -> None:
    assert "You have placed this call" in Call().machine.agent.custom_instructions


def test_who_pauses_without_an_end_is_greeted_too() -> None:
    call = Call()
    call.tell(CallerInterim("Hello"))
    assert call.timers["answering"] < 3.0
    call.fire("answering")
    assert call.met == [("human", "hello")]


def test_who_says_nothing_is_greeted_and_is_a_person_once_they_speak() -> None:
    call = Call()
    call.fire("answering")
    assert call.met == [("unknown", "silence")]
    assert call.words == PLAN.greeting
    call.hear()
    call.tell(CallerSaid("Who is this?"), CallerFinished())
    assert call.met[-1] == ("human", "spoke")


def test_an_agent_may_speak_first() -> None:
    call = Call(speaks_first=True)
    assert call.words == PLAN.greeting
    hello(call)
    assert call.met == [("human", "hello")]
    assert call.words == PLAN.greeting


def test_a_machine_gets_the_message_behind_its_beep_and_then_the_call_is_over() -> None:
    call = Call()
    call.tell(CallerSpeaking(), CallerInterim("You have reached Ann"))
    assert call.met == [("machine", "phrase")]
    call.tell(CallerSaid("You have reached Ann, leave a message after the tone."))
    assert call.words == ""
    call.tell(TONE)
    assert call.words == MESSAGE
    call.hear()
    assert call.ended == "voicemail"


def test_a_machine_without_a_beep_gets_it_behind_a_silence() -> None:
    call = Call()
    call.tell(CallerSaid("You have reached Ann, leave a message."), CallerFinished())
    call.fire("answering")
    assert call.words == MESSAGE


def test_a_machine_that_shows_itself_by_its_tone_alone_gets_it_soon() -> None:
    call = Call()
    call.tell(TONE)
    assert call.met == [("machine", "tone")]
    assert call.timers["answering"] < 1.0
    call.fire("answering")
    assert call.words == MESSAGE


def test_a_beep_in_the_midst_of_the_message_has_it_said_once_more_and_no_more() -> None:
    call = Call()
    call.tell(CallerSaid("You have reached Ann, leave a message."))
    call.fire("answering")
    call.tell(TONE)
    assert call.words == f"{MESSAGE} {MESSAGE}"
    call.tell(TONE)
    assert call.words == f"{MESSAGE} {MESSAGE}"
    call.hear()
    assert call.ended == "voicemail"


def test_an_agent_that_leaves_no_messages_hangs_up() -> None:
    call = Call(voicemail="hang_up")
    call.tell(CallerInterim("You have reached the voicemail"))
    assert (call.ended, call.words) == ("machine", "")


def test_a_machine_with_a_short_beginning_is_known_when_it_has_been_greeted() -> None:
    for phase in ("greeting", "listening", "thinking"):
        call = Call()
        call.tell(CallerSaid("Hi."), CallerFinished())
        if phase != "greeting":
            call.hear()
        if phase == "thinking":
            call.tell(CallerSaid("This is Ann."), CallerFinished())
        call.tell(CallerSaid("Please leave a message."))
        assert call.met == [("human", "hello"), ("machine", "phrase")], phase
        call.tell(TONE)
        assert call.words.endswith(MESSAGE), phase
        call.hear()
        assert call.ended == "voicemail", phase


def test_a_machine_that_never_stops_is_left() -> None:
    call = Call()
    call.tell(CallerSaid("You have reached a mailbox."))
    for _ in range(70):
        call.tell(CallerInterim("and so on"), after=1.0)
    assert (call.ended, call.words) == ("machine", "")


def test_who_speaks_into_the_message_is_a_person_after_all() -> None:
    call = Call()
    call.tell(CallerSaid("You have reached Ann, leave a message."), TONE)
    call.tell(CallerInterim("Hello, I am here"), after=2.0)
    call.tell(CallerSaid("Hello, I am here."))
    assert call.met[-1] == ("human", "spoke")
    call.tell(CallerFinished())
    assert call.machine.phase is Phase.THINKING


def test_what_a_machine_says_into_the_message_is_no_person() -> None:
    call = Call()
    call.tell(CallerSaid("You have reached Ann, leave a message."), TONE)
    call.tell(CallerSaid("Hi"), after=3.0)
    call.tell(CallerSaid("The mailbox is full, please hang up."), after=3.0)
    assert call.met == [("machine", "phrase")]
    call.hear()
    assert call.ended == "voicemail"


def test_who_hangs_up_is_gone_at_any_time() -> None:
    for before in (
        [],
        [CallerSaid("You have reached Ann.")],
        [CallerSaid("leave a message"), TONE],
    ):
        call = Call()
        call.tell(*before, HungUp())
        assert call.ended == "hangup"


def test_a_new_actor_goes_on_wherever_the_call_was() -> None:
    call = Call()
    call.restart(Started())
    assert call.timers == {"answering": 3.0}
    call.tell(CallerSaid("You have reached Ann, leave a message."))
    call.restart(Started())
    assert "answering" in call.timers
    call.tell(TONE)
    call.restart(Started())
    assert call.words == f"{MESSAGE} {MESSAGE}"
    call.hear()
    assert call.ended == "voicemail"


EVENTS = st.one_of(
    st.sampled_from(
        [
            *(CallerSpeaking(), CallerFinished(), TONE, DigitPressed("1"), HungUp()),
            Started(again=True),
        ]
    ),
    st.builds(
        CallerSaid,
        st.sampled_from(["Hello?", "leave a message", "Who is this, please?", "press one", ""]),
    ),
    st.builds(CallerInterim, st.sampled_from(["Hel", "you have reached", "who are you now", ""])),
    st.sampled_from(["hear", "answering", "endpoint", "silence", "closing", "wait", "restart"]),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(EVENTS, st.sampled_from((0.1, 1.0, 4.0))), max_size=30),
    st.sampled_from(("leave", "hang_up")),
    st.booleans(),
)
def test_whatever_happens_it_goes_on_as_its_journal_says(
    events: list[tuple[Any, float]], voicemail: str, first: bool
) -> None:
    call = Call(voicemail=voicemail, speaks_first=first)
    for event, after in events:
        match event:
            case "restart":
                call.restart(Started())
            case "hear":
                if call.machine.conversation.turn is not None:
                    call.hear()
            case str():
                if event in call.timers:
                    call.fire(event)
            case _:
                call.tell(event, after=after)
        conversation = Conversation()
        for entry in call.journal:
            conversation.apply(entry)
        assert conversation == call.machine.conversation
    if call.ended == "voicemail":
        assert MESSAGE.split(". ", maxsplit=1)[0] in call.words
    if call.ended is None and call.machine.state in ("waiting", "machine"):
        assert "answering" in call.timers
    assert not (voicemail == "hang_up" and MESSAGE in call.words)
