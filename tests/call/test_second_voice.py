"""A second voice speaks while the first one fails: whole calls in virtual time."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.actors import names
from aybiza.actors.call.voice_trials import VoiceTrials
from aybiza.actors.measures import events
from aybiza.emulators.deepgram import Fault as SpeechFault
from aybiza.emulators.streamed.faults import Fault
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.desk import AGENT, Answers, agent
from aybiza.faults.placed_call import PlacedCall
from aybiza.faults.world import World, in_world

AURA, ELEVEN = "aura-2-thalia-en", "elevenlabs:JBFqnCBsd6RMkjVDRZzb"
ASK = "Tell me a story, please."
STORY = (
    "There was a lighthouse on a rock far out in the sea. "
    "One night a storm took the light away from him. "
    "He rowed to the shore to fetch another one."
)
ANSWERS: Answers = {ASK: [STORY]}
WHOLE = f"{AGENT.greeting} {STORY}"
charged: list[dict[str, Any]] = []
"""What the last call was charged for."""


def called(
    voice: str, second: str | None = None, speech: Any = (), eleven: Any = (), calls: int = 1
) -> tuple[PlacedCall, World]:
    """The last of some calls to an agent with these voices, and faults of both."""
    own = agent(voice=voice, second_voice=second)

    async def talk(world: World) -> tuple[PlacedCall, World]:
        charged.clear()
        world.vm.telemetry.attach(
            "test", events.COST, lambda _, paid, about, __: charged.append({**paid, **about})
        )
        for fault in speech:
            world.deepgram.faults.add(fault)
        for fault in eleven:
            world.eleven.faults.add(fault)
        for _ in range(calls):
            async with world.call(
                says(ASK, when=r"today\?"), hangs_up(when=r"another one\."), limit_s=60
            ) as call:
                await call.over()
        return call, world

    return in_world(talk, agent=own, answers=ANSWERS)


def heard(call: PlacedCall) -> str:
    """What the caller heard, without fillers; a pause may stand in the midst of a word."""
    return " ".join(call.heard.split()).replace(AGENT.filler, "").replace(" ", "")


def test_a_voice_of_elevenlabs_speaks_a_call_and_is_charged_for() -> None:
    call, world = called(ELEVEN)
    assert call.report.ok and heard(call) == WHOLE.replace(" ", "")
    assert not any(door == "speak" for _, door, _ in world.deepgram.opened)
    said = [paid for paid in charged if paid["what"] == "speak"]
    assert {paid["model"] for paid in said} == {ELEVEN} and sum(p["micro_usd"] for p in said) > 0
    assert {asked.model for asked in world.eleven.said} == {"eleven_flash_v2_5"}


ALWAYS_REFUSED = [SpeechFault("speak", "refuse", 503, times=None)]
CASES: dict[str, tuple[str, str, list[SpeechFault], list[Fault]]] = {
    "Deepgram refuses": (AURA, ELEVEN, ALWAYS_REFUSED, []),
    "Deepgram refuses its key": (AURA, ELEVEN, [SpeechFault("speak", "refuse", 401)], []),
    "Deepgram closes in an answer": (
        AURA,
        ELEVEN,
        [SpeechFault("speak", "close", 1011, after=3.2)],
        [],
    ),
    "Deepgram stalls": (AURA, ELEVEN, [SpeechFault("speak", "stall", after=0.1)], []),
    "ElevenLabs has no credit": (ELEVEN, AURA, [], [Fault("refuse", code=401, times=None)]),
    "ElevenLabs is busy once": (ELEVEN, AURA, [], [Fault("refuse", code=429)]),
    "ElevenLabs breaks off in a sentence": (ELEVEN, AURA, [], [Fault("cut", into=3, times=2)]),
    "ElevenLabs hangs up": (ELEVEN, AURA, [], [Fault("hang_up")]),
    "ElevenLabs stalls in a sentence": (ELEVEN, AURA, [], [Fault("stall", into=3, seconds=60.0)]),
    "ElevenLabs is silent": (ELEVEN, AURA, [], [Fault("slow", seconds=20.0)]),
    "both fail once": (
        AURA,
        ELEVEN,
        [SpeechFault("speak", "refuse", 503)],
        [Fault("refuse", code=500)],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_every_sentence_is_heard_once_whichever_voice_fails(case: Any) -> None:
    voice, second, speech, eleven = case
    call, _ = called(voice, second, speech, eleven)
    assert call.report.ok, call.report.failure
    assert heard(call) == WHOLE.replace(" ", "")


def test_a_call_begins_with_the_voice_that_others_found_to_speak() -> None:
    _, world = called(AURA, ELEVEN, ALWAYS_REFUSED, calls=6)
    opened = world.deepgram.opened
    tried = {session for _, door, session in opened if door == "speak"}
    assert tried == {"CA1", "CA2", "CA3", "CA4", "CA5"}


def test_a_call_goes_back_to_its_first_voice_when_that_speaks_again_and_only_once() -> None:
    """Deepgram refuses, is tried aside, and speaks again: no caller has tried it meanwhile."""
    asks = [f"Tell me story {number}." for number in range(6)]
    answers: Answers = {ask: [f"This is story {number}."] for number, ask in enumerate(asks)}
    own = agent(voice=AURA, second_voice=ELEVEN, silence_timeout_s=60)

    async def talk(world: World) -> tuple[PlacedCall, World]:
        world.deepgram.faults.add(SpeechFault("speak", "refuse", 503, times=2))
        services: Any = (world.listener, world.eleven_client)
        await world.vm.start(VoiceTrials, *services, name=names.VOICE_TRIALS)
        steps = [says(ask, after_ms=15_000) for ask in asks]
        async with world.call(*steps, hangs_up(when=r"story 5\."), limit_s=200) as call:
            await call.over()
        return call, world

    call, world = in_world(talk, agent=own, answers=answers)
    assert call.report.ok, call.report.failure
    whole = f"{AGENT.greeting} " + " ".join(f"This is story {number}." for number in range(6))
    assert heard(call) == whole.replace(" ", "")
    by_eleven = [said.text for said in world.eleven.said]
    opened = [session for _, door, session in world.deepgram.opened if door == "speak"]
    assert by_eleven and "This is story 5." not in by_eleven
    assert "trial" in opened and opened[-1] == "CA1"
