"""Calls that are back from their stream: put through, by what comes of it, or over. Whole calls by
telephone in virtual time, and the answers one by one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from functools import partial
from typing import Any

import pytest

from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.journal import (
    FAULT,
    AgentSentence,
    AnswerComplete,
    CallerTurn,
    Closing,
    Ended,
    Entry,
    SentenceHeard,
    Transferred,
    Transferring,
)
from aybiza.dialogue.tool_registry import ToolRegistry
from aybiza.dialogue.tools.call_tools import call_tools
from aybiza.emulators.bedrock import use
from aybiza.emulators.phone import Party
from aybiza.faults.caller import Step, hangs_up, says, stays
from aybiza.faults.desk import agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world
from aybiza.gateway.returning import GOES_ON, Next, Transfers, returning, whispered

NUMBERS = {"front desk": "+14155550199", "billing": "sip:billing@example.org"}
DESK = agent(
    transfer_numbers=NUMBERS,
    transfer_timeout_s=10,
    transfer_busy="The line there is busy. What now?",
    transfer_unanswered="Nobody is answering there. What now?",
    transfer_failed="I could not put you through. What now?",
)
ANSWERS = {
    "A person, please.": [use("transfer_to_person", {}), "I put you through."],
    "The bills, please.": [use("transfer_to_person", {"to": "Billing"}), "I put you through."],
    "The moon, please.": [use("transfer_to_person", {"to": "moon"}), "There is no such person."],
    "Your hours, then.": ["From nine to five."],
}
LEAVES = (says("Your hours, then.", when="What now"), hangs_up(when="five"))


def a_call(*steps: Step, parties: dict[str, Party], **options: Any) -> PlacedCall:
    async def talk(world: World) -> PlacedCall:
        async with world.call(*steps) as call:
            report = await call.over()
            assert report.ok, report.failure
        return call

    toolbox = ToolRegistry(call_tools(list(NUMBERS))[:1])
    given = {"agent": DESK, "answers": ANSWERS, "toolbox": toolbox, "parties": parties}
    return in_world(talk, **{**given, **options})


def transfers(call: PlacedCall) -> list[Entry]:
    return [one for one in call.journal if isinstance(one, Transferring | Transferred | Ended)]


def test_a_caller_who_asks_for_a_person_is_connected_with_one() -> None:
    person = {"+14155550199": Party("completed", talk_s=30)}
    call = a_call(says("A person, please."), stays(), parties=person)
    assert call.report.dialled == [("+14155550199", "completed")]
    assert call.heard.rstrip().endswith("I put you through.")
    assert transfers(call) == [
        Transferring("front desk"),
        Ended("transfer"),
        Transferred("front desk", "completed"),
    ]


@pytest.mark.parametrize(
    ("party", "outcome", "words"),
    [
        (Party("busy"), "busy", "The line there is busy. What now?"),
        (Party("no-answer"), "no-answer", "Nobody is answering there. What now?"),
        (Party(ring_s=60), "no-answer", "Nobody is answering there. What now?"),
        (Party("failed"), "failed", "I could not put you through. What now?"),
    ],
)
def test_a_caller_whom_nobody_takes_is_back_with_the_agent_who_knows_and_says_why(
    party: Party, outcome: str, words: str
) -> None:
    call = a_call(says("A person, please."), *LEAVES, parties={"+14155550199": party})
    assert call.report.dialled == [("+14155550199", outcome)]
    assert [line.strip() for line in call.heard.splitlines()[-2:]] == [words, "From nine to five."]
    assert transfers(call) == [
        Transferring("front desk"),
        Ended("transfer"),
        Transferred("front desk", outcome),
        Ended("hangup"),
    ]
    body = call.requests()[-1].body
    assert body is not None
    told = body["messages"]
    said = [block["text"] for message in told for block in message["content"] if "text" in block]
    assert said[-2:] == [words, "Your hours, then."]


def test_a_caller_may_be_put_through_once_more_to_somebody_else() -> None:
    parties = {"+14155550199": Party("busy"), "sip:billing@example.org": Party("completed")}
    call = a_call(
        says("A person, please."),
        says("The bills, please.", when="What now"),
        stays(),
        parties=parties,
    )
    assert call.report.dialled == [
        ("+14155550199", "busy"),
        ("sip:billing@example.org", "completed"),
    ]
    assert transfers(call)[-1] == Transferred("billing", "completed")


def test_nobody_is_dialled_whom_the_files_do_not_name() -> None:
    call = a_call(says("The moon, please."), hangs_up(when="no such"), parties={})
    assert call.report.dialled == []
    assert transfers(call) == [Ended("hangup")]


def test_a_caller_is_told_so_when_the_number_has_left_the_file() -> None:
    gone = DESK.model_copy(update={"transfer_numbers": {}})
    call = a_call(says("A person, please."), *LEAVES, parties={}, agent=gone)
    assert call.report.dialled == []
    assert "I could not put you through. What now?" in call.heard
    assert Transferred("front desk", "failed") in call.journal


# One answer


def after(*entries: Entry) -> Conversation:
    conversation = Conversation()
    for entry in entries:
        conversation.apply(entry)
    return conversation


THROUGH = (CallerTurn(1, "A person."), Closing("transfer", "billing"), Transferring("billing"))
LEFT = after(*THROUGH, Ended("transfer"))


def answer(conversation: Conversation, **form: str) -> Next:
    return returning(
        conversation, form, Transfers(NUMBERS, 10), "https://here/incoming?again=1&node=a"
    )


def verbs(following: Next) -> list[str]:
    assert following.document is not None
    return [verb.tag for verb in ET.fromstring(following.document)]


def test_a_conversation_that_has_not_ended_goes_on() -> None:
    assert answer(after(*THROUGH)) is GOES_ON


def test_a_caller_who_has_waited_in_silence_is_spoken_to_by_the_carrier() -> None:
    call, to = after(*THROUGH), Transfers(NUMBERS, 10)
    waits = partial(returning, call, {}, to, "https://here/incoming", wait_words="One moment.")
    assert waits(silent=1.9) is GOES_ON
    assert waits(silent=2.0) == Next(words="One moment.")
    nobody = partial(returning, LEFT, {}, Transfers(), "https://here/incoming", wait_words="Wait.")
    failed = (Transferred("billing", "failed"),)
    assert nobody(silent=0.0) == Next(entries=failed)
    assert nobody(silent=3.0) == Next(words="Wait.", entries=failed)
    dialled = returning(LEFT, {}, to, "https://here/incoming", wait_words="Wait.", silent=9.0)
    assert verbs(dialled) == ["Dial"]


def test_a_transfer_dials_with_the_number_that_was_called_and_asks_here_again() -> None:
    following = answer(LEFT, To="+14155550100")
    dial = ET.fromstring(following.document or "")[0]
    assert dial.attrib == {
        "action": "https://here/incoming?again=1&node=a",
        "timeout": "10",
        "callerId": "+14155550100",
    }
    assert [(noun.tag, noun.text) for noun in dial] == [("Sip", "sip:billing@example.org")]
    assert following.entries == ()


def test_a_number_that_no_carrier_shows_is_no_caller_id() -> None:
    dial = ET.fromstring(answer(LEFT, To="sip:desk@example.org").document or "")[0]
    assert "callerId" not in dial.attrib


def test_asked_twice_without_an_outcome_it_dials_twice_and_writes_nothing() -> None:
    assert answer(LEFT) == answer(LEFT)


@pytest.mark.parametrize(
    ("form", "outcome"),
    [
        ({"DialCallStatus": "completed", "DialBridged": "false"}, "declined"),
        ({"DialCallStatus": "a new word"}, "failed"),
        ({"DialCallStatus": "canceled", "CallStatus": "in-progress"}, "canceled"),
    ],
)
def test_who_was_not_reached_goes_on_with_the_agent(form: dict[str, str], outcome: str) -> None:
    assert answer(LEFT, **form) == Next(entries=(Transferred("billing", outcome),))


def test_a_caller_who_gave_up_while_it_rang_is_gone() -> None:
    following = answer(LEFT, DialCallStatus="canceled", CallStatus="completed")
    assert verbs(following) == ["Hangup"]
    assert following.entries == (Transferred("billing", "canceled"), Ended("hangup"))


def test_an_outcome_that_is_told_twice_is_written_once() -> None:
    reached = answer(LEFT, DialCallStatus="completed")
    assert reached.entries == (Transferred("billing", "completed"),)
    again = answer(after(*THROUGH, Ended("transfer"), *reached.entries), DialCallStatus="completed")
    assert verbs(again) == ["Hangup"] and again.entries == ()
    busy = Transferred("billing", "busy")
    assert answer(after(*THROUGH, Ended("transfer"), busy), DialCallStatus="busy") is GOES_ON


def test_a_call_that_speech_has_failed_has_its_last_words_unless_they_were_heard() -> None:
    goodbye: list[Entry] = [Closing(FAULT), CallerTurn(2, ""), AgentSentence(2, 1, "Goodbye.")]
    goodbye += [AnswerComplete(2, "end_turn")]
    told: dict[str, Any] = {"last_words": "Goodbye.", "wait_words": "One moment."}
    number: dict[str, Any] = {"fallback_number": "+14155550100"}
    unheard, heard = [*goodbye, Ended(FAULT)], [*goodbye, SentenceHeard(2, 1), Ended(FAULT)]
    for entries, to, expected in (
        (unheard, number, ["Say", "Dial"]),
        (heard, number, ["Dial"]),
        (unheard, {}, ["Say", "Hangup"]),
        (heard, {}, ["Hangup"]),
    ):
        following = returning(after(*entries), {}, Transfers(), "", **told, **to)
        assert verbs(following) == expected
        said = "One moment." if to else "Goodbye."
        assert (said in (following.document or "")) == ("Say" in expected)


def test_lines_that_fail_without_a_word_between_them_end_the_call() -> None:
    told: dict[str, Any] = {"wait_words": "One moment.", "last_words": "Goodbye."}
    first: list[Entry] = [CallerTurn(1, "Hello."), AgentSentence(1, 1, "Hi."), Ended(FAULT)]
    heard: list[Entry] = [SentenceHeard(1, 1)]
    for entries, words in (
        (first, "One moment."),
        ([*first, *heard, Ended(FAULT)], "One moment."),
        ([*first, CallerTurn(2, "Hello?"), Ended(FAULT)], ""),
    ):
        following = returning(after(*entries), {}, Transfers(), "", **told)
        assert following.words == words
        assert (following.document is None) == bool(words)


# The person first


def warm(style: str, key: str) -> tuple[PlacedCall, list[str]]:
    async def talk(world: World) -> tuple[PlacedCall, list[str]]:
        then = LEAVES if style == "accept" and not key else (stays(),)
        async with world.call(says("A person, please."), *then) as call:
            report = await call.over()
            assert report.ok, report.failure
        told = [each.what.removeprefix("twilio: ") for each in world.trace.of("line")]
        return call, [text for text in told if text.startswith("says to")]

    person = {"+14155550199": Party("completed", talk_s=30, key=key)}
    desk = DESK.model_copy(update={"transfer_style": style, "transfer_summary": "They said:"})
    toolbox = ToolRegistry(call_tools(list(NUMBERS))[:1])
    return in_world(talk, agent=desk, answers=ANSWERS, toolbox=toolbox, parties=person)


SAID = "says to +14155550199: They said: A person, please."
KEY = "says to +14155550199: To take the call, press any key."


@pytest.mark.parametrize(
    ("style", "key", "told", "outcome"),
    [
        ("cold", "", [], "completed"),
        ("summary", "", [SAID], "completed"),
        ("accept", "1", [SAID, KEY], "completed"),
        ("accept", "", [SAID, KEY], "declined"),
    ],
)
def test_the_person_hears_first_what_the_call_is_about(
    style: str, key: str, told: list[str], outcome: str
) -> None:
    call, heard = warm(style, key)
    assert heard == told
    assert Transferred("front desk", outcome) in call.journal


def test_nobody_hears_of_a_call_that_is_not_being_put_through() -> None:
    transfers = Transfers(NUMBERS, begins="They said:")
    document = whispered(after(CallerTurn(1, "A secret.")), {}, transfers, "/again")
    assert [verb.tag for verb in ET.fromstring(document)] == ["Hangup"]
