"""Calls that the node places, whole: a person, machines with a beep and without, and nobody."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aybiza.actors import names
from aybiza.actors.measures import events
from aybiza.actors.outbound.outbound_actor import RunCampaign, StopCampaign
from aybiza.actors.runtime import KILL
from aybiza.config.outgoing import Outgoing
from aybiza.emulators.services.placed_calls import Party
from aybiza.faults.caller import Step, beeps, breaks_off, hangs_up, interrupts, says, stays
from aybiza.faults.desk import agent
from tests.call.placed import ANN, BOB, OURS, PlacedWorld, placed

MESSAGE = "This is the desk. Please call us back."
PLAN = Outgoing(greeting="Hello, it is the desk.", voicemail="leave", message=MESSAGE)
AGENT = agent(outbound=PLAN)
MAILBOX = says("You have reached Ann, please leave a message.", after_ms=300)


def called(folder: Path, *steps: Step, **options: Any) -> tuple[str, str, dict[str, Any]]:
    """What came of a call, what was heard of it, and its last row."""

    async def talk(desk: PlacedWorld) -> tuple[str, str, dict[str, Any]]:
        assert "attempt" in await desk.dial(ANN)
        outcome = await desk.outcome()
        await asyncio.sleep(1.0)
        row = (await desk.status())["attempts"][-1]
        assert set(desk.statuses) <= {204}
        return row["outcome"] or outcome, desk.heard(ANN) if ANN in desk.phones else "", row

    who = options.pop("who", AGENT)
    found: tuple[str, str, dict[str, Any]] = placed(
        folder, talk, people={ANN: steps}, agent=who, **options
    )
    return found


def test_a_person_says_hello_and_is_talked_to(tmp_path: Path) -> None:
    steps = (says("Hello?", after_ms=300), says("Who is it?"), hangs_up())
    outcome, heard, row = called(tmp_path, *steps, answers={"Who is it?": ["It is the desk."]})
    assert outcome == "human"
    assert heard.startswith(PLAN.greeting)
    assert "It is the desk." in heard
    assert row["call"].startswith("CA") and row["seconds"] > 0


def test_a_call_costs_what_the_carrier_asks_for_placing_it(tmp_path: Path) -> None:
    charged: list[str] = []

    async def talk(desk: PlacedWorld) -> None:
        desk.world.vm.telemetry.attach("t", events.COST, lambda *a: charged.append(a[2]["model"]))
        await desk.dial(ANN)
        await desk.outcome()

    placed(tmp_path, talk, people={ANN: (says("Hello?", after_ms=300), hangs_up())}, agent=AGENT)
    assert "twilio-placed" in charged and "twilio" not in charged


def test_a_machine_gets_the_message_whole_behind_its_beep(tmp_path: Path) -> None:
    outcome, heard, _ = called(tmp_path, MAILBOX, beeps(400), stays())
    assert outcome == "message_left"
    assert heard.strip() == MESSAGE


def test_a_machine_without_a_beep_gets_it_behind_its_silence(tmp_path: Path) -> None:
    outcome, heard, _ = called(tmp_path, MAILBOX, stays())
    assert (outcome, heard.strip()) == ("message_left", MESSAGE)


def test_who_picks_up_while_the_message_is_said_is_a_person(tmp_path: Path) -> None:
    long = Outgoing(voicemail="leave", message=f"{MESSAGE} {MESSAGE} {MESSAGE} {MESSAGE} {MESSAGE}")
    steps = (MAILBOX, beeps(400), interrupts("Hello, I am here.", after_ms=2_500), hangs_up())
    answers = {"Hello, I am here.": ["Good day."]}
    outcome, heard, _ = called(tmp_path, *steps, answers=answers, who=agent(outbound=long))
    assert outcome == "human"
    assert "Good day." in heard


def test_an_agent_that_leaves_no_message_hangs_up_on_a_machine(tmp_path: Path) -> None:
    who = agent(outbound=Outgoing())
    outcome, heard, _ = called(tmp_path, MAILBOX, stays(), who=who)
    assert (outcome, heard.strip()) == ("machine", "")


def test_with_health_data_a_machine_hears_the_fixed_message_and_nothing_else(
    tmp_path: Path,
) -> None:
    who = agent(outbound=PLAN, health_data=True, tools=())
    outcome, heard, _ = called(tmp_path, MAILBOX, beeps(400), stays(), who=who)
    assert (outcome, heard.strip()) == ("message_left", MESSAGE)


def test_a_person_whose_line_breaks_is_back_in_the_same_call(tmp_path: Path) -> None:
    steps = (says("Hello?", after_ms=300), breaks_off(2_500), says("Still me."), hangs_up())
    outcome, heard, _ = called(tmp_path, *steps)
    assert outcome == "human"
    assert heard.count(PLAN.greeting) == 1


def test_nobody_answers_or_the_line_is_busy_or_fails(tmp_path: Path) -> None:
    for number, (party, outcome, code) in enumerate(
        (
            (Party("busy"), "busy", "486"),
            (Party("no_answer"), "no_answer", ""),
            (Party("failed", sip=404), "failed", "404"),
        )
    ):
        found, _, row = called(tmp_path / str(number), parties={ANN: party})
        assert (found, row["code"]) == (outcome, code)


def test_what_the_carrier_tells_nobody_of_is_looked_up(tmp_path: Path) -> None:
    async def talk(desk: PlacedWorld) -> str:
        desk.calls.silent = True
        await desk.dial(ANN)
        return await desk.outcome()

    party = {ANN: Party("busy")}
    assert placed(tmp_path, talk, agent=AGENT, parties=party) == "busy"


def test_the_carriers_own_verdict_is_taken_where_it_is_asked_for(tmp_path: Path) -> None:
    async def talk(desk: PlacedWorld) -> str:
        await desk.dial(ANN)
        await desk.world.until(lambda: ANN in desk.phones)
        return str((await desk.status())["attempts"][-1]["outcome"])

    people = {ANN: (stays(),)}
    party = {ANN: Party(answered_by="machine_start")}
    options: Any = {"people": people, "agent": AGENT, "parties": party, "detect": True}
    assert placed(tmp_path, talk, **options) == "answered"


def test_the_rules_refuse_in_words_and_place_nothing(tmp_path: Path) -> None:
    async def talk(desk: PlacedWorld) -> tuple[list[dict[str, Any]], int]:
        asked = [("+493012345678", ""), (ANN, "+14155559999"), ("12", "")]
        return [await desk.dial(*one) for one in asked], desk.orders

    answers, orders = placed(tmp_path, talk, agent=AGENT)
    assert [one["refused"] for one in answers] == ["no_opt_in", "caller_id", "number"]
    assert orders == 0


def test_no_crash_has_anybody_called_twice(tmp_path: Path) -> None:
    """The actor is killed when the carrier has the order and nobody was told."""

    async def talk(desk: PlacedWorld) -> tuple[int, str]:
        place = desk.means.placer.place
        killed = 0

        async def dies(attempt: Any) -> Any:
            nonlocal killed
            answer = await place(attempt)
            if not killed:
                killed += 1
                pid = desk.world.vm.whereis(names.OUTBOUND)
                assert pid is not None
                desk.world.vm.exit(pid, KILL)
                await asyncio.sleep(5)
            return answer

        desk.means.placer.place = dies  # type: ignore[method-assign]
        await desk.dial(ANN)
        await asyncio.sleep(1)
        outcome = await desk.outcome()
        assert killed == 1
        return desk.orders, outcome

    people = {ANN: (says("Hello?", after_ms=300), hangs_up())}
    assert placed(tmp_path, talk, people=people, agent=AGENT) == (1, "human")


def test_an_order_that_died_before_it_was_sent_is_never_sent_again(tmp_path: Path) -> None:
    async def talk(desk: PlacedWorld) -> tuple[int, str]:
        async def dies(attempt: Any) -> Any:
            pid = desk.world.vm.whereis(names.OUTBOUND)
            assert pid is not None
            desk.world.vm.exit(pid, KILL)
            await asyncio.sleep(3_600)

        desk.means.placer.place = dies  # type: ignore[method-assign]
        await desk.dial(ANN)
        await asyncio.sleep(1)
        return desk.orders, await desk.outcome(within=1_000)

    assert placed(tmp_path, talk, agent=AGENT) == (0, "lost")


def test_a_campaign_calls_its_people_and_goes_on_behind_a_crash(tmp_path: Path) -> None:
    spec = {
        **{"name": "reminders", "agent": "desk", "from": OURS},
        "numbers": [ANN, BOB],
        "limits": {"concurrency": 1, "attempts": 1},
    }

    async def talk(desk: PlacedWorld) -> tuple[dict[str, Any], int]:
        vm = desk.world.vm
        answer = await vm.call(names.OUTBOUND, RunCampaign(spec), 10.0)
        assert answer == {"running": "reminders", "numbers": 2}
        await asyncio.sleep(3)
        pid = vm.whereis(names.OUTBOUND)
        assert pid is not None
        vm.exit(pid, KILL)
        for _ in range(400):
            await asyncio.sleep(1)
            if vm.whereis(names.OUTBOUND) is None:
                continue
            row = (await desk.status())["campaigns"][0]
            if row["state"] != "running":
                break
        return row, desk.orders

    people = {ANN: (says("Hello?", after_ms=300), hangs_up())}
    options: Any = {"people": people, "agent": AGENT, "parties": {BOB: Party("busy")}}
    row, orders = placed(tmp_path, talk, **options)
    assert (row["state"], row["outcomes"], orders) == ("done", {"busy": 1, "human": 1}, 2)


def test_a_campaign_that_is_stopped_calls_nobody_further(tmp_path: Path) -> None:
    spec = {"name": "c", "agent": "desk", "from": OURS, "numbers": [ANN, BOB]}

    async def talk(desk: PlacedWorld) -> tuple[Any, int]:
        vm = desk.world.vm
        await vm.call(names.OUTBOUND, RunCampaign(spec), 10.0)
        stopped = await vm.call(names.OUTBOUND, StopCampaign("c"), 10.0)
        await asyncio.sleep(30)
        assert (await vm.call(names.OUTBOUND, StopCampaign("c"), 10.0))["refused"] == "campaign"
        return stopped, desk.orders

    assert placed(tmp_path, talk, agent=AGENT) == ({"stopped": "c"}, 0)
