"""AnalysisActor: has turns judged while calls go on, and calls analysed when they are over.

    cast `Judge(call_id, turn, text, analysis, to)`   in time `to` gets a `TurnJudged`
    cast `Analyse(context, outcome)`                  in time the call's journal has an `Analysed`

A turn is judged in a thread: how it sounds, and what it is about. A call is analysed from its
journal: figures and a score; how each turn sounds; and, where the agent's file asks for them, a
summary and structured data of the cheapest model that the node may ask, if its breaker gives leave,
no quota is reached and most of Bedrock's threads are free. An answer of the model that does not fit
the schema is asked for once more, with what was wrong; then there is none. What it costs is charged
to its call. Where a model was not to be had the analysis says so (`missing`).

A call that is put through is analysed `TRANSFER_SECONDS` later, unless the caller is back by then.
No call waits for any of it: some pieces are made at a time, a bounded number waits (`backlog`), and
what is waiting is lost with this actor or its node.

Errors: none; what fails is logged.
Source: specification 002, "analysisPlan"; Bedrock, ConverseStream.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import structlog

from aybiza.actors import names
from aybiza.actors.call.aside_request import asked, refusal
from aybiza.actors.call.backlog import Backlog
from aybiza.actors.call.call_context import CallContext
from aybiza.actors.measures import events
from aybiza.actors.measures.call_figures import Call, combined, score
from aybiza.actors.measures.events import emit
from aybiza.actors.memory.context import fold
from aybiza.actors.memory.memory_actor import Load
from aybiza.actors.memory.notes import note
from aybiza.actors.runtime import VM, Exit, FunctionClause, GenServer, Pid
from aybiza.claude.converse import converse_request
from aybiza.config.analysis import Analysis
from aybiza.dialogue.analysis_request import (
    ANSWER_TOKENS,
    MORE_TOKENS,
    Found,
    Unfit,
    Wanted,
    messages,
)
from aybiza.dialogue.condense import record
from aybiza.dialogue.intents import intent
from aybiza.dialogue.journal import FAULT, TRANSFER, Analysed, TurnJudged
from aybiza.dialogue.mood import mood

MODEL_SECONDS: Final = 30.0
LOAD_SECONDS: Final = 5.0
TRANSFER_SECONDS: Final = 5.0
MOST_LATER: Final = 100
"""Calls that were put through and wait for what comes of it."""
TRIES: Final = 2
NOTHING_SAID: Final = "the caller has said nothing"
AFTER_SECONDS: Final = 0.5
TURNS_AT_ONCE: Final = 50
"""Turns that are judged, or wait to be a moment later; the threads are the node's, and few."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Judge:
    """See the module. `to`: the CallActor."""

    call_id: str
    turn: int
    text: str
    analysis: Analysis
    to: Pid


@dataclass(frozen=True, slots=True)
class Analyse:
    """See the module. `outcome`: as in `aybiza.dialogue.journal.Ended`."""

    context: CallContext
    outcome: str


@dataclass(frozen=True, slots=True)
class _Later:
    request: Analyse


class AnalysisActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self) -> None:
        self._turns = Backlog(self.vm, judge, at_once=TURNS_AT_ONCE)
        self._calls = Backlog(self.vm, analyse)
        self._later = 0

    def get_state(self) -> Any:
        """For people: how many turns and calls are at hand, and how many wait."""
        return {"turns": self._turns.state, "calls": self._calls.state, "later": self._later}

    async def handle_cast(self, request: Any) -> None:
        match request:
            case Judge():
                if not self._turns.put((request.call_id, request.turn), request):
                    log.info("turn_not_judged", call_id=request.call_id, why="too many wait")
            case Analyse(_, outcome) if outcome == FAULT:
                # The caller may be back.
                return
            case Analyse(_, outcome) if outcome == TRANSFER and self._later < MOST_LATER:
                self._later += 1
                self.send_after(_Later(request), TRANSFER_SECONDS)
            case Analyse():
                self._put(request)
            case _:
                raise FunctionClause(self, request)

    async def handle_info(self, message: Any) -> None:
        match message:
            case _Later(request):
                self._later -= 1
                self._put(request)
            case Exit():
                if (turn := self._turns.ended(message)) is not None and turn.why is not None:
                    log.warning("turn_not_judged", call_id=turn.item.call_id, why=turn.why)
                elif (call := self._calls.ended(message)) is not None and call.why is not None:
                    self._not_made(call.item, call.why)

    def _put(self, request: Analyse) -> None:
        if not self._calls.put(request.context.call_id, request):
            self._not_made(request, "too many wait")

    def _not_made(self, request: Analyse, why: str) -> None:
        log.warning("call_not_analysed", call_id=request.context.call_id, why=why)


async def judge(vm: VM, request: Judge) -> None:
    """Judge a turn, and tell whoever has asked; for a Task."""
    # Its answer is being asked for just now, and a thread would be in its way.
    await asyncio.sleep(AFTER_SECONDS)
    judged = await vm.run_blocking(judged_as, request.turn, request.text, request.analysis)
    about = {"call_id": request.call_id, "turn": request.turn}
    emit(vm, events.TURN_UNDERSTOOD, mood=judged.mood, intent=judged.intent, **about)
    vm.send(request.to, judged)


def judged_as(turn: int, text: str, analysis: Analysis) -> TurnJudged:
    """How a turn of the caller sounds, and what it is about; for a thread."""
    how = mood(text) if analysis.sentiment else None
    return TurnJudged(turn, how, intent(text, analysis.intents))


def understood_in(language: str, analysis: Analysis) -> Analysis:
    """What can be told of a turn in this language, "": the agent's: the lexicon is English."""
    if not analysis.sentiment or not language or language.startswith("en"):
        return analysis
    return analysis.model_copy(update={"sentiment": False})


async def analyse(vm: VM, request: Analyse) -> None:
    """Analyse a call, and write what was found into its journal; for a Task."""
    context, analysis = request.context, request.context.agent.analysis
    call_id = context.call_id
    journal = await names.call_patiently(vm, names.MEMORY, Load(call_id), LOAD_SECONDS)
    assert analysis is not None
    about = await vm.run_blocking(_looked_at, journal, analysis, request.outcome)
    if about is None:
        return
    made, text = about
    if analysis.asks_a_model:
        said = await _found(vm, context, analysis, text) if text else {"missing": NOTHING_SAID}
        made |= said
    # What has come of a transfer may stand there by now.
    journal = await names.call_patiently(vm, names.MEMORY, Load(call_id), LOAD_SECONDS)
    await note(vm, call_id, journal, [Analysed(made)])
    log.info(
        "call_analysed",
        call_id=call_id,
        score=made["score"]["score"],
        missing=made.get("missing", ""),
    )


class _Looked(NamedTuple):
    made: dict[str, Any]
    text: str


def _looked_at(journal: Any, analysis: Analysis, outcome: str) -> _Looked | None:
    """What the journal itself tells, and what a model is given to read; for a thread. None for a
    call that goes on after all."""
    conversation = fold(journal)
    if conversation.ended is None or (not conversation.turns and not conversation.measured):
        return None
    turns = [turn for turn in conversation.turns.values() if turn.caller and not turn.joined]
    judged = [
        turn.judged or judged_as(turn.number, turn.caller, understood_in(turn.language, analysis))
        for turn in turns
        if analysis.judges_turns
    ]
    moods = [one.mood for one in judged if one.mood is not None]
    figures = combined(conversation.measured)
    cut = sum(turn.cut is not None for turn in conversation.turns.values())
    made: dict[str, Any] = {
        "figures": {**figures, "turns": len(turns), "interruptions": cut},
        "score": score(Call(figures, len(turns), cut, moods, outcome)),
    }
    if judged:
        made["turns"] = [[one.turn, one.mood, one.intent] for one in judged]
    return _Looked(made, record(conversation) if turns else "")


async def _found(vm: VM, context: CallContext, analysis: Analysis, text: str) -> dict[str, Any]:
    """The summary and the data of the model, or why they are missing."""
    wanted = Wanted.of(analysis)
    assert wanted is not None
    answers: list[tuple[str, Unfit]] = []
    policy, why, tokens = context.policy, "", ANSWER_TOKENS
    profile = policy.cheapest
    region = policy.region_of(profile, policy.region)
    for _ in range(TRIES):
        if why := refusal(vm, context):
            break
        request = converse_request(
            profile,
            messages(text, answers),
            system=wanted.system,
            max_tokens=tokens,
            temperature=0.0,
            guardrail=context.guardrail,
            call_id=context.call_id,
            tenant_id=context.tenant or None,
        )
        answer = await asked(
            vm, context, "analysis", request, profile, region, seconds=MODEL_SECONDS
        )
        if why := answer.why:
            break
        found = await vm.run_blocking(wanted.read, answer.text)
        if isinstance(found, Found):
            # A call in which nothing of it was said has data all the same: {}.
            told = {"summary": found.summary or None, "data": found.data}
            return {key: value for key, value in told.items() if value is not None}
        why = "the model's answers do not fit the schema"
        if answer.finished is not None and answer.finished.stop_reason == "max_tokens":
            tokens, found = MORE_TOKENS, Unfit(f"That was cut off. Say less; {found.why}")
            why = f"the model's answers are longer than {MORE_TOKENS} tokens"
        answers.append((answer.text, found))
    log.warning("call_not_understood", call_id=context.call_id, model=profile.id, why=why)
    return {"missing": why}
