"""What must hold of a call at every step, whatever happens on it."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

from aybiza.claude.converse import normalise_messages
from aybiza.dialogue.conversation import Conversation, Phase
from aybiza.dialogue.journal import (
    CallerSegment,
    CallerTurn,
    Entry,
    Joined,
    ToolExchange,
    decode,
    encode,
)

if TYPE_CHECKING:
    from tests.dialogue.call_world import CallWorld


def fold(entries: list[Entry]) -> Conversation:
    """The conversation of a journal that was written and read back."""
    conversation = Conversation()
    for entry in entries:
        read = decode(json.loads(json.dumps(encode(entry))))
        assert read == entry
        conversation.apply(read)
    return conversation


def check(world: CallWorld) -> None:
    """All that must hold between two events."""
    entries = [entry for _, entry in world.journal]
    conversation = world.machine.conversation
    assert entries == world.applied, "the journal has another order than the state"
    assert fold(entries) == conversation, "the journal is not the state"
    if not conversation.ended and conversation.turns:
        _check_not_stuck(world)
    _check_turns(world, entries)
    check_messages(world, normalise_messages(conversation.messages()))


def _check_not_stuck(world: CallWorld) -> None:
    conversation = world.machine.conversation
    turn = conversation.turn
    assert turn is not None
    assert (world.eager is not None) is (world.machine.phase is Phase.EAGER)
    match world.machine.phase:
        case Phase.EAGER:
            assert "endpoint" in world.timers
            assert conversation.phase in (Phase.LISTENING, Phase.INTERRUPTED)
        case Phase.LISTENING:
            assert {"silence", "endpoint"} & world.timers.keys()
        case Phase.INTERRUPTED:
            assert "endpoint" in world.timers
            assert turn.number not in world.answers
            assert not [named for named in world.playing if named[1] > 0], "talks on"
        case Phase.THINKING:
            assert world.attached == turn.number
            assert "wait" in world.timers
        case Phase.SPEAKING | Phase.GREETING:
            expected = [(turn.number, seq) for seq in turn.unheard()]
            out = [*world.untold, *world.playing]
            assert [named for named in out if named[1] > 0] == expected
            assert world.attached == (None if turn.complete else turn.number)
    if world.machine.conversation.closing is not None:
        assert "closing" in world.timers


def _check_turns(world: CallWorld, entries: list[Entry]) -> None:
    """Every word of the caller is in one turn, or waits for the next, in order."""
    waiting: list[str] = []
    turns: dict[int, str] = {}
    for entry in entries:
        if isinstance(entry, CallerSegment):
            waiting.append(entry.text)
        elif isinstance(entry, Joined):
            waiting.insert(0, turns[entry.turn])
        elif isinstance(entry, CallerTurn) and entry.text:
            assert entry.text == " ".join(waiting)
            turns[entry.turn] = entry.text
            waiting = []
    assert waiting == world.machine.conversation.segments
    uses = [
        use["toolUse"]["toolUseId"]
        for e in entries
        if isinstance(e, ToolExchange)
        for use in e.uses
    ]
    assert len(uses) == len(set(uses))


def check_messages(world: CallWorld, messages: list[dict[str, Any]]) -> None:
    """The roles alternate; the agent has said only what the caller hears or has heard."""
    roles = [message["role"] for message in messages]
    assert roles[0] == roles[-1] == "user"
    assert all(one != next_ for one, next_ in itertools.pairwise(roles))
    turns = world.machine.conversation.turns
    for message in messages:
        if message["role"] == "user":
            continue
        text = " ".join(block["text"] for block in message["content"] if "text" in block)
        for word in text.split():
            if word[0] != "a" or word.count(".") != 2:
                continue
            number, seq, place = map(int, word[1:].split("."))
            turn = turns[number]
            if seq in turn.heard or turn.cut is None:
                assert seq in turn.sentences
            else:
                assert seq <= turn.cut.seq
                assert seq < turn.cut.seq or place < 4 * turn.cut.fraction
