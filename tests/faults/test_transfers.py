"""A caller who is to be put through is, or is told that nobody was reached."""

from aybiza.dialogue.journal import AgentSentence, Ended, Entry, Transferred, Transferring
from aybiza.emulators.phone.report import Report
from aybiza.faults.desk import AGENT
from aybiza.faults.plan import Plan
from aybiza.faults.transfers import put_through
from aybiza.faults.trial import Outcome

PLAN = Plan(agent={"transfer_numbers": {"sales": "+15550100200"}})
NOON = AgentSentence(2, 1, "It is noon.")


def told(*entries: Entry, dialled: bool = True) -> list[str]:
    outcome = Outcome(PLAN, Report("x", "CA1"), 0.0, documents=["<Dial/>"] * dialled)
    outcome.entries = [(float(number), entry) for number, entry in enumerate(entries)]
    return list(put_through(outcome))


def test_somebody_with_a_number_is_dialled() -> None:
    wanted = Transferring("sales"), Ended("transfer")
    assert told(*wanted, Transferred("sales", "completed")) == []
    assert told(*wanted, dialled=False) == [
        "the caller was to be put through, and nobody was dialled"
    ]
    assert told(Transferring("the moon"), Ended("transfer"), dialled=False) == []


def test_who_comes_back_is_told_first_that_nobody_was_reached() -> None:
    busy = Transferred("sales", "busy")
    assert told(busy, AgentSentence(2, 1, AGENT.transfer_busy), NOON) == []
    assert told(busy, NOON) == ["nobody was reached (busy), and the caller is not told"]
    assert told(busy, Ended("hangup")) == []
    assert told(Transferred("sales", "canceled"), NOON) == []
