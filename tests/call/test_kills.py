"""Whatever is killed, and whenever: the caller hears what the caller of an undisturbed call hears.

A cell of the matrix is a call in which one process of the call or of its node ends once, killed or
by a crash of its own, in one state of the conversation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

from aybiza.actors import names
from aybiza.actors.runtime import Dest
from aybiza.dialogue.journal import CallerTurn, Interrupted, SentenceHeard
from aybiza.emulators.bedrock import use
from aybiza.faults.desk import Answers
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.testing import Caller, Node, hangs_up, interrupts, says
from tests.call.quick import GREETING, PACE, heard

QUESTION = "What are your opening hours, and are you open on Saturday as well as on Monday?"
FIRST = "Let me look that up for you right now, it will not take long."
REST = (
    "We open at eight in the morning on every working day. "
    "On Saturday we open at ten and close at noon. "
    "We are closed on Sunday and on public holidays."
)
THANKS = "Thank you."
GOODBYE = "You are welcome, goodbye."
STORY = "Tell me a very long story, please."
LONG = (
    "There was a lighthouse on a rock far out in the sea. "
    "The keeper had not seen a ship for many years. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
# A word lasts 20 ms.
WORDS_APART = 5
CHANGE = "Stop, what does it cost?"
COST = "A visit costs ten dollars, goodbye."

ANSWERS: Answers = {
    QUESTION: [use("look_up", {"what": "hours"}, FIRST), REST],
    THANKS: [GOODBYE],
    STORY: [LONG],
    CHANGE: [COST],
}
HEARD = f"{GREETING} {FIRST} {REST} {GOODBYE}"
TOLD = [
    ("user", QUESTION),
    ("assistant", FIRST),
    ("uses", "look_up"),
    ("result", "success"),
    ("assistant", REST),
    ("user", THANKS),
]
# A tool whose supervisor ends has failed: the model is told so.
TOLD_FAILED = [("result", "error") if line == ("result", "success") else line for line in TOLD]

STRAIGHT = (
    says(QUESTION, when=r"today\?\s*$"),
    says(THANKS, when=r"holidays\.\s*$"),
    hangs_up(when=r"goodbye\.\s*$"),
)
BREAKING_IN = (
    says(STORY, when=r"today\?\s*$"),
    interrupts(CHANGE, 300),
    hangs_up(when=r"goodbye\.\s*$"),
)

STATES: dict[str, Callable[[PlacedCall], bool]] = {
    "greeting": lambda call: call.is_speaking(0, 1),
    "listening": lambda call: call.has(SentenceHeard(0, 1)),
    "caller in mid-utterance": lambda call: call.is_talking(for_ms=150),
    "thinking": lambda call: call.has(CallerTurn(1, QUESTION)) and bool(call.requests()),
    "first sentence": lambda call: call.is_speaking(1, 1),
    "tool running": lambda call: call.is_using_a_tool,
    "between sentences": lambda call: call.has_heard(1, 2) and not call.has_heard(1, 3),
    "last sentence": lambda call: call.is_speaking(1, 4),
    "barge-in": lambda call: any(isinstance(entry, Interrupted) for entry in call.journal),
}
# An answer is a process only while the model has not said everything.
ANSWERING = ("thinking", "first sentence", "tool running", "between sentences")

Find = Callable[[PlacedCall], Iterable[Dest]]

OF_THE_CALL: dict[str, Find] = {
    "CallActor": lambda call: [names.call(call.call_id)],
    "TranscriberActor": lambda call: [names.transcriber(call.call_id)],
    "SpeakerActor": lambda call: [names.speaker(call.call_id)],
    "AnswerActor": lambda call: [names.answer(call.call_id, 1)],
    "CallSession": lambda call: [names.session(call.call_id)],
    "CallActor and SpeakerActor": lambda call: [
        names.call(call.call_id),
        names.speaker(call.call_id),
    ],
    "CallActor and AnswerActor": lambda call: [
        names.call(call.call_id),
        names.answer(call.call_id, 1),
    ],
    "CallActor and MemoryActor": lambda call: [names.call(call.call_id), names.MEMORY],
}
OF_THE_NODE: dict[str, Dest] = {
    "RegistryActor": "registry_actor",
    "MetricsActor": names.METRICS,
    "MemoryActor": names.MEMORY,
    "CircuitBreakerActor": names.breaker("global.anthropic.claude-haiku-4-5-20251001-v1:0"),
    "ToolSupervisor": names.TOOL_SUPERVISOR,
    "ModelSupervisor": names.MODEL_SUPERVISOR,
    "CallSupervisor": names.CALL_SUPERVISOR,
}


class Cell(NamedTuple):
    """A call of the matrix: which process ends in which state, killed or by a crash of its own."""

    actor: str
    state: str
    how: str = "kill"

    def __str__(self) -> str:
        return f"{self.actor}-{self.state}-{self.how}".replace(" ", "_")


def cells() -> list[Cell]:
    """The matrix."""
    made = [
        Cell(actor, state)
        for actor in (*OF_THE_CALL, *OF_THE_NODE)
        for state in (ANSWERING if "AnswerActor" in actor else STATES)
    ]
    crashing = ("CallActor", "TranscriberActor", "SpeakerActor", "AnswerActor", "MemoryActor")
    nobody = [Cell("nobody", state) for state in ("listening", "barge-in")]
    return (
        nobody
        + made
        + [
            Cell(actor, state, "crash")
            for actor in crashing
            for state in (ANSWERING if actor == "AnswerActor" else STATES)
        ]
    )


@pytest.fixture
def aybiza_answers() -> Answers:
    return ANSWERS


@pytest.fixture
def aybiza_world() -> dict[str, Any]:
    return PACE


def victims(call: PlacedCall, cell: Cell) -> list[Dest]:
    """Whom the cell is about."""
    if cell.actor in OF_THE_NODE:
        return [OF_THE_NODE[cell.actor]]
    return list(OF_THE_CALL[cell.actor](call)) if cell.actor in OF_THE_CALL else []


@pytest.mark.parametrize("cell", cells(), ids=str)
def test_the_caller_hears_the_same(node: Node, call: Caller, cell: Cell) -> None:
    breaks_in = cell.state == "barge-in"
    placed = call.placed(*(BREAKING_IN if breaks_in else STRAIGHT))
    whom = victims(placed, cell)
    call.until(lambda: STATES[cell.state](placed) and all(map(node.vm.alive, whom)))
    for victim in whom:
        (node.kill if cell.how == "kill" else node.crash)(victim)
    report = call.over(placed)
    assert report.ok, report.failure
    (assert_interrupted if breaks_in else assert_straight)(placed, cell)


def assert_straight(call: PlacedCall, cell: Cell) -> None:
    """Every sentence was heard once, and the model was told every turn once."""
    assert heard(call) == HEARD
    assert call.told() in told_after(cell)


def told_after(cell: Cell) -> list[list[tuple[str, str]]]:
    """What the model may have been told by the end of an undisturbed conversation."""
    if cell.actor != "ToolSupervisor":
        return [TOLD]
    # The tool may have begun while the first sentence is still being heard.
    either = {"tool running": [TOLD_FAILED], "first sentence": [TOLD, TOLD_FAILED]}
    return either.get(cell.state, [TOLD])


def assert_interrupted(call: PlacedCall, cell: Cell) -> None:
    """The answer was heard up to where it was cut, then the next one; the model knows it."""
    before, _, after = call.heard.partition(GREETING)
    assert before == ""
    told, cost = after.strip()[: -len(COST)].strip(), after.strip()[-len(COST) :]
    assert cost == COST
    assert told and LONG.startswith(told)
    conversation = call.told()
    assert [role for role, _ in conversation] == ["user", "assistant", "user"], conversation
    assert conversation[0] == ("user", STORY)
    assert conversation[2] == ("user", CHANGE)
    said = conversation[1][1].removesuffix(" …")
    assert LONG.startswith(said)
    # Where the cut was made is known by the marks and the clock, a piece of audio at a time.
    assert abs(len(said.split()) - len(told.split())) <= WORDS_APART, (said, told)
