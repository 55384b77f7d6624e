"""What is measured and offered while a call goes on; whole calls are in `tests/call`."""

from __future__ import annotations

from typing import Any

from aybiza.actors.call.analysis_actor import Analyse, Judge
from aybiza.actors.call.call_analysis import CallAnalysis, line_over
from aybiza.actors.memory.journals import append, journals
from aybiza.actors.runtime import VM
from aybiza.config.analysis import Analysis, Offer
from aybiza.dialogue.conversation import Conversation
from aybiza.dialogue.events import CallerFinished, CallerSaid, CallerSpeaking
from aybiza.dialogue.journal import CallerTurn, Ended, TurnJudged
from aybiza.speech.line import Line
from tests.call.kit import AGENT
from tests.speech.test_line_figures import Sink

FULL = Analysis(
    intents={"booking": ("table",)},
    sentiment=True,
    offers=(Offer(when="repeats", offer="to spell it"),),
)


class Context:
    """Stands for a call's context."""

    def __init__(self, analysis: Analysis | None) -> None:
        self.call_id = "CA1"
        self.agent = AGENT.model_copy(update={"analysis": analysis})
        self.line = Line("CA1", Sink())


def begun(vm: VM, analysis: Analysis | None) -> tuple[CallAnalysis, Context, Conversation, Any]:
    context, talk, casts, kept = Context(analysis), Conversation(), [], list[Any]()
    vm.cast = lambda dest, request: casts.append(request)  # type: ignore[method-assign]
    own: Any = context
    made = CallAnalysis(vm, None, own, talk, lambda new, _: kept.extend(new))  # type: ignore[arg-type]
    return made, context, talk, (casts, kept)


async def test_without_the_table_nothing_is_measured_judged_or_offered() -> None:
    async with VM("n") as vm:
        made, context, talk, (casts, kept) = begun(vm, None)
        talk.apply(CallerTurn(1, "A table, please, for two."))
        made.heard(CallerSpeaking(at=1.0))
        made.entered(CallerTurn(1, "A table, please, for two."))
        made.over("hangup")
        assert context.line.figures is None
        assert (casts, kept, made.hint(1, "A table, please, for two.")) == ([], [], "")


async def test_a_turn_is_given_to_be_judged_and_what_comes_is_kept() -> None:
    async with VM("n") as vm:
        made, _, talk, (casts, kept) = begun(vm, FULL)
        said = CallerTurn(1, "A table, please, for two.")
        talk.apply(said)
        made.entered(said)
        assert [type(one) for one in casts] == [Judge]
        made.judged(TurnJudged(1, 10, "booking"))
        made.judged(TurnJudged(7, 10, "of another call"))
        assert [entry["turn"] for entry in kept] == [1]
        assert made.hint(2, "Something quite else today.") == ""
        assert "to spell it" in made.hint(2, "A table, please, for two!")
        # The same words again are a turn of their own, whether it is asked for early or not.
        assert "to spell it" in made.hint(2, said.text)
        talk.apply(CallerTurn(2, said.text))
        assert "to spell it" in made.hint(2, said.text)
        assert made.hint(3, said.text) == ""


async def test_the_figures_of_a_line_go_behind_its_journal_once() -> None:
    async with VM("n") as vm:
        made, context, talk, (casts, _) = begun(vm, FULL)
        made.heard(CallerSpeaking(at=1.0))
        made.heard(CallerSaid("Hello.", at=1.5))
        made.heard(CallerFinished(0.5, at=2.5))
        append(vm, "CA1", 1, 4, [{"type": "ended", "reason": "hangup"}])
        talk.apply(Ended("hangup"))
        made.over("hangup")
        line_over(vm, context.line)
        made.over("hangup")
        rows = journals(vm)["CA1"].rows
        assert [(row.number, row.event, row.entry["type"]) for row in rows] == [
            (1, 4, "ended"),
            (2, 4, "line_measured"),
        ]
        assert rows[1].entry["figures"]["caller_s"] == 1.0
        assert [type(one) for one in casts if one != "write"] == [Analyse]
        assert journals(vm)["CA1"].is_over_for_good()
