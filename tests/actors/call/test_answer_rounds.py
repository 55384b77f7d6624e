"""An answer's rounds: its tools, its history, its last words."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.call import answer_rounds
from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.measures.metrics_actor import render
from aybiza.actors.runtime import KILL, NORMAL, Shutdown
from aybiza.claude.payload import enhance_system_prompt_for_voice
from aybiza.dialogue.events import AnswerFinished, AnswerSentence, CloseAsked, ToolsUsed
from aybiza.dialogue.tool_registry import Tool, ToolError, ToolRegistry
from aybiza.dialogue.toolbox import NoTools, ToolRun
from aybiza.dialogue.turn_policy import TurnPolicy
from aybiza.emulators.bedrock import Fault, Pace, Reply, Text, ToolUse, use
from aybiza.faults.desk import Answers
from tests.actors.call.answer_kit import HAIKU, KEYS, SONNET, stage
from tests.call.kit import AGENT
from tests.claude.bedrock_wire import MESSAGE_START, event_frame, text_delta
from tests.claude.bedrock_wire import Reply as Wire
from tests.claude.client_kit import bedrock

BOOK = "Book me the tenth, please."
YES = "Yes, please do."
DONE = "It is booked."
ASKED_BACK = "The tenth, is that right?"
SLOW = Pace(per_delta_ms=5)

TOOL_ROUNDS = TurnPolicy().tool_rounds


class Book:
    """A write, a hand-over and a goodbye, as tools."""

    def __init__(self) -> None:
        self.uses: list[ToolRun] = []
        self.transfer: Exception | None = None

    def registry(self) -> ToolRegistry:
        day = {"type": "object", "properties": {"day": {"type": "integer"}}}
        return ToolRegistry(
            [
                Tool("book", "Book a day.", self.book, day, effect="write"),
                Tool("transfer", "Put through.", self.put_through, effect="transfer"),
                Tool("end", "Hang up.", self.put_through, effect="end_call"),
            ]
        )

    async def book(self, given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        self.uses.append(run)
        return {"booked": given}

    async def put_through(self, given: dict[str, Any], run: ToolRun) -> dict[str, Any]:
        if self.transfer is not None:
            raise self.transfer
        return {"transferring": True}


async def test_a_write_is_read_back_and_done_after_the_yes() -> None:
    book = Book()
    answers: Answers = {
        BOOK: [use("book", {"day": 10}), ASKED_BACK],
        YES: [use("book", {"day": 10}), DONE],
    }
    async with stage(answers, toolbox=book.registry()) as place:
        told = await place.answer(BOOK)
        assert told.said == [ASKED_BACK]
        assert book.uses == []
        assert "needs_confirmation" in place.conversation(told)[-1][1]
        await place.answer(YES, turn=2, call_id=told.call_id)
        assert book.uses == [], "nobody has heard the question"
        told = await place.answer(YES, turn=3, call_id=told.call_id, asked=ASKED_BACK)
        assert told.said == [DONE]
    assert [(run.said, run.turn, run.input["day"]) for run in book.uses] == [(YES, 3, 10)]


@pytest.mark.parametrize(
    ("failure", "closes"), [(None, True), (ToolError("closed", "Nobody is there."), False)]
)
async def test_a_call_is_closed_by_a_tool_that_worked(
    failure: Exception | None, closes: bool
) -> None:
    book = Book()
    book.transfer = failure
    answers: Answers = {"A person, please.": [use("transfer", {}), "One moment."]}
    async with stage(answers, toolbox=book.registry()) as place:
        told = await place.answer("A person, please.")
    asked = [CloseAsked(1, "transfer")] if closes else []
    assert told.of(CloseAsked) == asked


async def test_after_goodbye_a_model_that_fails_is_not_apologised_for() -> None:
    answers: Answers = {"Bye.": [use("end", {}), "Goodbye."]}
    async with stage(answers, toolbox=Book().registry(), fallback_region=None) as place:
        fault = Fault("http_error", code="AccessDeniedException", skip=1, times=None)
        place.bedrock.faults.add(fault)
        told = await place.answer("Bye.")
    assert told.said == []
    assert (told.of(CloseAsked), told.stop_reason) == ([CloseAsked(1, "goodbye")], "error")


async def test_the_model_is_told_how_long_an_answer_may_be_in_the_same_words_each_time() -> None:
    told = []
    async with stage({}) as place:
        for said in ("What can you do?", "In detail, please.", "Tell me briefly."):
            (asked,) = place.requests(await place.answer(said))
            assert asked.body is not None
            told.append([block["text"] for block in asked.body["system"]])
    always, length = told[0]
    assert always == enhance_system_prompt_for_voice("Be brief.")
    assert "150 words at the very most; 75 where" in length and "300 where" in length
    assert told == [told[0]] * 3


async def test_tools_are_no_longer_run_when_there_were_enough_rounds() -> None:
    book = Book()
    replies = [use("look_up", {"day": n}) for n in range(TOOL_ROUNDS + 1)]
    reading = ToolRegistry([Tool("look_up", "Look up a day.", book.book)])
    async with stage({YES: [*replies, DONE]}, toolbox=reading) as place:
        told = await place.answer(YES)
        assert told.said == [DONE]
        assert len(book.uses) == TOOL_ROUNDS
        assert "too_many_tools" in place.conversation(told)[-1][1]
        assert len(told.of(ToolsUsed)) == TOOL_ROUNDS + 1


async def test_a_model_that_wants_nothing_but_tools_has_the_last_word_taken_from_it() -> None:
    async with stage({YES: [use("book", {"day": 1})]}, toolbox=Book().registry()) as place:
        told = await place.answer(YES)
    assert (told.said, told.stop_reason) == ([AGENT.error], "error")


async def test_a_turn_asks_the_model_so_often_and_no_more() -> None:
    replies = [use("book", {"day": n, "confirmed": True}) for n in range(TOOL_ROUNDS)]
    book = Book().registry()
    async with stage({YES: [*replies, DONE]}, toolbox=book, model_rounds=2) as place:
        told = await place.answer(YES)
        assert len(place.requests(told)) == 2
    assert told.stop_reason == "error"
    assert len(told.said) == 1


STORY = Reply(
    (
        Text("I will look. It will take a moment or even two. Here I go with it at once."),
        ToolUse("look_up", {"what": "a"}),
    )
)


async def test_a_tool_after_a_broken_stream_has_the_whole_history_before_it() -> None:
    async with stage({"Look.": [STORY, "Found it."]}, pace=SLOW) as place:
        place.bedrock.faults.add(Fault("fin", after=2))
        told = await place.answer("Look.")
        rest = ["It will take a moment or even two.", "Here I go with it at once."]
        assert told.said == ["I will look.", *rest, "Found it."]
        assert len(place.desk.runs) == 1
        *said, uses, _ = place.conversation(told)
    assert [role for role, _ in said] == ["user", "assistant", "user", "assistant"]
    assert [words for role, words in said if role == "assistant"] == [
        "I will look.",
        " ".join(rest),
    ]
    assert uses == ("uses", "look_up")


async def test_what_a_model_repeats_when_asked_to_go_on_is_not_said_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In words that the emulated model does not take for a request to go on.
    monkeypatch.setattr(answer_rounds, "CONTINUE", "Well?")
    answers: Answers = {
        "Tell me.": ["The first thing. The second thing. The third thing."],
        "Well?": ["the first thing! The second thing. The third thing. The first thing."],
    }
    async with stage(answers, pace=SLOW) as place:
        place.bedrock.faults.add(Fault("silent_end", after=1))
        told = await place.answer("Tell me.")
    assert told.said == [
        "The first thing.",
        "The second thing.",
        "The third thing.",
        "The first thing.",
    ]


async def test_nothing_is_said_of_what_another_model_is_asked_after_a_half_sentence() -> None:
    async with stage({"Tell me.": ["It is a rather long first sentence. Then more."]}) as place:
        place.bedrock.faults.add(Fault("stream_exception", after=1, model=HAIKU))
        told = await place.answer("Tell me.")
        assert told.said == ["It is a rather long first sentence.", "Then more."]
        assert place.models(told) == [HAIKU, SONNET]
        assert place.conversation(told) == [("user", "Tell me.")]


async def test_a_tool_that_is_registered_later_is_told_to_the_model() -> None:
    registry = Book().registry()
    async with stage({}, toolbox=registry) as place:
        before = await place.answer("Hello.")
        registry.register(Tool("later", "Came later.", Book().book))
        after = await place.answer("Hello.")
        names_of = [
            [tool["toolSpec"]["name"] for tool in body["toolConfig"]["tools"]]
            for told in (before, after)
            if (body := place.requests(told)[-1].body) is not None
        ]
    assert names_of == [["book", "transfer", "end"], ["book", "transfer", "end", "later"]]


async def test_a_fault_of_ours_ends_the_answer_as_a_failure() -> None:
    class Broken(NoTools):
        asked = 0

        def specs(self) -> list[dict[str, Any]]:
            self.asked += 1
            if self.asked > 1:
                raise KeyError("a fault of this program")
            return []

    async with stage({}, toolbox=Broken()) as place:
        told = await place.answer("Hello.")
        statistics = await place.vm.call(names.breaker(HAIKU), "statistics")
    assert isinstance(told.ended, Shutdown)
    assert told.said == []
    assert statistics["failure"] == 0


@pytest.mark.parametrize("reset", [True, False])
async def test_a_stream_that_breaks_behind_the_message_is_not_asked_to_go_on(reset: bool) -> None:
    async def all_but_the_costs(reply: Wire) -> None:
        await reply.start()
        stop = event_frame("messageStop", {"stopReason": "end_turn"})
        await reply.send(MESSAGE_START + text_delta("One. Two.") + stop)
        await reply.hang_up(reset=reset)

    async with stage({}) as place, bedrock(all_but_the_costs, credentials=KEYS) as (wire, client):
        told = await place.answer("Hello.", bedrock=client)
        answer = names.answer(told.call_id, 1)
        await place.until(lambda: not place.vm.alive(answer))
        assert told.events == [
            AnswerSentence(1, 1, "One."),
            AnswerSentence(1, 2, "Two.", ends="end_turn"),
            AnswerFinished(1, "end_turn"),
        ]
        assert len(wire.requests) == 1


async def test_the_end_is_told_before_what_it_cost_and_that_is_counted_all_the_same() -> None:
    async def late_costs(reply: Wire) -> None:
        await reply.start()
        stop = event_frame("messageStop", {"stopReason": "end_turn"})
        await reply.send(MESSAGE_START + text_delta("Really!") + stop)
        await said.wait()
        usage = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
        await reply.send(event_frame("metadata", {"usage": usage, "metrics": {"latencyMs": 1}}))
        await reply.finish()

    said = asyncio.Event()
    async with stage({}) as place, bedrock(late_costs, credentials=KEYS) as (_, client):
        told, answer, _ = await place.begin("Hello.", bedrock=client)
        await place.until(lambda: told.stop_reason is not None)
        said.set()
        assert await place.vm.join(answer) == NORMAL
        assert told.events == [AnswerSentence(1, 1, "Really!"), AnswerFinished(1, "end_turn")]
        assert 'aybiza_tokens_total{kind="output"' in await render(place.vm)


async def test_an_answer_that_is_no_longer_wanted_gives_its_trial_back() -> None:
    async with stage({}, failures=1) as place:
        place.bedrock.faults.add(Fault("stall"))
        _, answer, _ = await place.begin("Hello.")
        await place.bedrock.journal.wait_for(lambda record: record.status == 200)
        place.vm.exit(answer, KILL)
        await place.vm.join(answer)
        await asyncio.sleep(0)
        statistics = await place.vm.call(names.breaker(HAIKU), "statistics")
        assert (statistics["cancelled"], statistics["failure"]) == (1, 0)


async def test_answers_with_tools_are_not_kept_for_worse_times() -> None:
    cache = KnownAnswers()
    async with stage({"Look.": [use("look_up", {}), "Found."]}, cache=cache) as place:
        await place.answer("Look.")
        assert len(cache.cache) == 0
        await place.answer("Hello.")
        assert len(cache.cache) == 1
