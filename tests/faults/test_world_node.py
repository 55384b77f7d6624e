"""Nodes of a world: calls go from one to the other, and a node is frozen or lost."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.faults.caller import hangs_up, says
from aybiza.faults.plan import NODES, Plan, PlanError, parse
from aybiza.faults.trial import Outcome, tried
from aybiza.faults.world import World, in_world

ANSWERS = {
    "What are your hours?": ["We open at nine. On Saturdays we close at noon. On Sundays we rest."],
    "And on Monday?": ["On Mondays we open at ten."],
}
STEPS: list[dict[str, Any]] = [
    {"say": "What are your hours?"},
    {"say": "And on Monday?"},
    {"hang_up": True},
]
AFTER = 'after = "SentenceHeard(turn=1, seq=1)"'


def under(what: str, more: str = "") -> Outcome:
    fault = f'[[fault]]\nwhat = "{what}"\nnode = "one"\n{AFTER}\n{more}'
    plan = parse(f"seed = 3\nnodes = 2\n[[step]]\nstay = true\n{fault}")
    return tried(Plan(steps=STEPS, answers=ANSWERS, faults=plan.faults, seed=3, nodes=2))


def hosts(outcome: Outcome) -> list[str]:
    return [stream.url.split("/")[2].split(".")[0] for stream in outcome.report.streams]


def test_a_node_of_a_cluster_carries_a_call_and_the_other_knows_of_it() -> None:
    async def talk(world: World) -> list[object]:
        assert [node.name for node in world.nodes] == list(NODES[:2])
        one, two = (node.vm for node in world.nodes)
        assert (one.nodes(), two.nodes()) == (["two"], ["one"])
        async with world.call(says("And on Monday?"), hangs_up()) as call:
            await call.until(lambda: "ten" in call.heard)
            table = two.tables["placement"].others["one"]
            return [table.calls, call.heard.count("On Mondays we open at ten."), call.pid("call")]

    calls, heard, pid = in_world(talk, answers=ANSWERS, nodes=2)
    assert (calls, heard) == (1, 1)
    assert str(pid).startswith("<one.")


def test_a_call_is_handed_over_at_the_next_seam_and_goes_on() -> None:
    outcome = under("node.drain", "seconds = 0.0")
    assert outcome.broken == []
    assert hosts(outcome) == ["one", "two"]
    assert outcome.heard.count("Welcome") == 1
    assert "On Mondays we open at ten." in outcome.heard


def test_the_caller_of_a_lost_node_goes_on_where_the_journal_is() -> None:
    outcome = under("node.lost")
    assert outcome.broken == []
    assert hosts(outcome) == ["one", "two"]
    assert outcome.heard.count("Welcome") == 1


def test_a_short_freeze_of_a_node_is_not_heard() -> None:
    outcome = under("node.freeze", "seconds = 1.0")
    assert outcome.broken == []
    assert hosts(outcome) == ["one"]
    assert all(text in outcome.heard for text in ("On Sundays we rest.", "open at ten."))


def test_two_trials_of_several_nodes_have_the_same_trace() -> None:
    assert under("node.lost").trace == under("node.lost").trace


def test_nobody_is_left_to_answer_when_the_only_node_is_lost() -> None:
    async def talk(world: World) -> str:
        world.nodes[0].lose()
        async with world.call(hangs_up()) as call:
            return (await call.over()).failure

    assert "503" in in_world(talk)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes = 4", "nodes = 4 is none of 1 to 3"),
        ('nodes = 2\n[[fault]]\nwhat = "node.lost"\nat = 1.0\nnode = "tow"', "'two'"),
    ],
)
def test_a_node_that_there_is_not_is_refused(text: str, said: str) -> None:
    head, _, tail = text.partition("\n")
    with pytest.raises(PlanError, match=said):
        parse(f"{head}\n[[step]]\nhang_up = true\n{tail}")
