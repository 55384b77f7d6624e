"""The transcriber and a Deepgram that misbehaves, in virtual time."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from aybiza.actors.call import wire
from aybiza.actors.call.transcriber_actor import TranscriberActor
from aybiza.actors.runtime import virtual_time
from aybiza.dialogue.events import (
    CallerFinished,
    CallerGoesOn,
    CallerInterim,
    CallerMayBeDone,
    CallerSaid,
    CallerSpeaking,
    LineFailed,
    SpeechTroubled,
)
from aybiza.speech.deepgram_flux import TurnInfo
from aybiza.speech.deepgram_listen import SpeechStarted, Transcript, UtteranceEnd
from aybiza.speech.deepgram_socket import DeepgramRefused
from tests.actors.call.sockets import Place, Socket, place, voice
from tests.call.kit import agent
from tests.speech.test_reconnect import most_in


@pytest.fixture(autouse=True)
def chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits between sockets are the same in each run."""
    monkeypatch.setattr(wire, "random", random.Random(1))


def nothing_said(end: float) -> Transcript:
    return Transcript("", False, False, False, 0.0, end, 0.0)


def answering(socket: Socket, kind: str, what: Any) -> None:
    """Say something about once a second of audio, as Deepgram does."""
    if kind == "audio" and socket.audio % 8000 < len(what):
        socket.say(nothing_said(socket.audio / 8000))


async def started(there: Place) -> None:
    await there.vm.start(TranscriberActor, there.context)


def refuse(_: Socket) -> None:
    raise DeepgramRefused(503)


def say_a_little(socket: Socket) -> None:
    socket.say(SpeechStarted(0.1))
    socket.end(1006)


async def hang(_: Socket) -> None:
    await asyncio.sleep(3600)


DEAF = {
    "closes at once": lambda socket: socket.end(1011),
    "refuses": refuse,
    "does not answer": hang,
    "says nothing": lambda socket: None,
    "takes nothing": lambda socket: setattr(socket, "takes", False),
}


@pytest.mark.parametrize("does", DEAF.values(), ids=list(DEAF))
@virtual_time
async def test_a_recogniser_that_never_works_ends_in_words_and_few_sockets(does: Any) -> None:
    async with place() as there:
        there.deepgram.does = does
        await started(there)
        told: dict[str, float] = {}
        for _ in range(400):
            await there.hear(0.1)
            for kind in there.kinds():
                told.setdefault(kind, there.now)
        assert there.kinds() == [*["SpeechTroubled"] * 3, "LineFailed"]
        # Five seconds, behind audio to answer and the last thing that could not be sent.
        assert told["SpeechTroubled"] <= 6.5
        assert told["LineFailed"] <= 16.0
        quiet = [e.seconds for e in there.events() if isinstance(e, SpeechTroubled)]
        assert max(quiet) < 0.1, "of a caller of whom nothing is heard nobody knows"
        assert most_in(10.0, there.deepgram.asked) <= 5
        assert there.deepgram.asked[-1] <= told["LineFailed"]


@virtual_time
async def test_a_recogniser_that_says_a_little_each_time_is_asked_less_and_less_often() -> None:
    async with place() as there:
        there.deepgram.does = say_a_little
        await started(there)
        await there.hear(5.0)
        first, *others = there.deepgram.asked
        assert others[2] - first >= 2.0, "a half and one and a half seconds, at least"


@virtual_time
async def test_a_flapping_recogniser_that_recovers_is_heard() -> None:
    async with place() as there:

        def does(socket: Socket) -> None:
            socket.on = answering
            if len(there.deepgram.asked) <= 3:
                socket.end(1011)

        there.deepgram.does = does
        await started(there)
        await there.hear(30.0)
        assert len(there.deepgram.asked) == 4
        assert not [e for e in there.events() if isinstance(e, LineFailed | SpeechTroubled)]
        assert there.deepgram.sockets[-1].audio == 30 * 8000


@virtual_time
async def test_a_silent_carrier_costs_no_socket_though_it_sent_a_little() -> None:
    async with place() as there:
        await started(there)
        await there.hear(0.5)
        await asyncio.sleep(58.0)
        [socket] = there.deepgram.sockets
        assert socket.kinds() == ["keep_alive"] * 14
        assert there.events() == []


@pytest.mark.parametrize("fault", ["closed", "takes nothing"])
@virtual_time
async def test_a_keep_alive_that_cannot_be_sent_costs_the_socket_and_nothing_else(
    fault: str,
) -> None:
    async with place() as there:
        there.deepgram.does = lambda socket: setattr(socket, "on", answering)
        await started(there)
        await there.hear(0.5)
        first = there.deepgram.sockets[0]
        # Gone, and nobody has said so.
        first.closed, first.takes = fault == "closed", fault == "closed"
        await asyncio.sleep(10.0)
        assert len(there.deepgram.sockets) == 2
        await there.hear(5.0)
        assert there.deepgram.sockets[-1].audio >= 5 * 8000
        assert not [e for e in there.events() if isinstance(e, LineFailed)]


def words(text: str, end: float, *, final: bool, **more: Any) -> Transcript:
    return Transcript(text, final, final, False, 0.0, end, 0.9, (end - 0.3, end), **more)


@pytest.mark.parametrize("again", ["all of it", "the same", "nothing"])
@virtual_time
async def test_words_behind_which_the_recogniser_stops_are_heard_once_more(again: str) -> None:
    async with place() as there:
        await started(there)
        await there.hear(1.0, voice(1.0))
        there.deepgram.sockets[0].say(words("yes that", 0.6, final=False))
        await there.hear(2.0)
        assert not [e for e in there.events() if isinstance(e, CallerSaid | CallerFinished)]
        second = there.deepgram.sockets[1]
        assert second.audio == 3 * 8000, "all of it"
        match again:
            case "all of it":
                second.say(words("yes that is me", 1.0, final=True))
            case "the same":
                second.say(words("yes that", 0.6, final=False))
            case "nothing":
                second.say(nothing_said(3.0))
        await there.hear(2.0)
        said = [e for e in there.events() if isinstance(e, CallerSaid | CallerFinished)]
        text = "yes that is me" if again == "all of it" else "yes that"
        assert said == [CallerSaid(text), CallerFinished()]
        assert isinstance(said[1], CallerFinished) and said[1].seconds > 1.9, "they came late"
        assert len(there.deepgram.sockets) == 2


@virtual_time
async def test_words_that_stay_interim_are_asked_for_and_taken_within_two_seconds() -> None:
    async with place() as there:
        there.deepgram.does = lambda socket: setattr(socket, "on", answering)
        await started(there)
        await there.hear(1.0, voice(1.0))
        [socket] = there.deepgram.sockets
        socket.say(words("yes that is me", 1.0, final=False))
        await there.hear(4.0)
        assert [kind for kind in socket.kinds() if kind != "keep_alive"] == ["finalize"]
        said = [e for e in there.events() if isinstance(e, CallerSaid | CallerFinished)]
        assert said == [CallerSaid("yes that is me"), CallerFinished()]


@pytest.mark.parametrize("word_end", [0.8, 1.0, 1.2])
@virtual_time
async def test_the_response_counts_from_the_last_audible_sample(word_end: float) -> None:
    async with place() as there:
        await started(there)
        await there.hear(2.5, voice(1.0))
        [socket] = there.deepgram.sockets
        socket.say(Transcript("hello", True, True, False, 0.0, 1.5, 0.9, (0.5, word_end)))
        await there.hear(1.0)
        first = there.line.finished_at
        assert first == pytest.approx(1.0, abs=0.05)
        socket.say(UtteranceEnd(word_end))
        await there.hear(1.0)
        assert there.line.finished_at == first
        assert there.events().count(CallerFinished()) == 1


@virtual_time
async def test_a_carrier_may_send_nothing_while_nobody_speaks() -> None:
    async with place() as there:
        await started(there)
        await there.hear(1.0, voice(1.0))
        await asyncio.sleep(1.5)
        there.deepgram.sockets[0].say(words("hello", 1.0, final=True))
        await asyncio.sleep(0.01)
        finished = there.events()[-1]
        assert isinstance(finished, CallerFinished)
        assert finished.seconds == pytest.approx(1.5, abs=0.05)


@virtual_time
async def test_a_flux_model_is_heard_by_its_turns() -> None:
    async with place(agent(listen_model="flux-general-en")) as there:
        await started(there)
        await there.hear(1.0, voice(1.0))
        [socket] = there.deepgram.sockets
        assert socket.options.model == "flux-general-en"
        socket.say(
            TurnInfo("StartOfTurn", "I need", 0.6, 0.5),
            TurnInfo("EagerEndOfTurn", "I need a cleaning", 1.2, 1.0),
            TurnInfo("TurnResumed", "I need a cleaning", 1.3, 1.0),
            TurnInfo("EndOfTurn", "I need a cleaning", 1.4, 1.0),
        )
        await there.hear(1.0)
        assert there.events() == [
            CallerSpeaking(),
            CallerInterim("I need"),
            CallerInterim("I need a cleaning"),
            CallerMayBeDone("I need a cleaning"),
            CallerGoesOn(),
            CallerSaid("I need a cleaning"),
            CallerFinished(),
        ]
        assert there.line.finished_at == pytest.approx(1.0, abs=0.05)


@virtual_time
async def test_a_new_socket_is_fed_from_where_the_words_were_understood() -> None:
    async with place() as there:
        there.deepgram.does = lambda socket: setattr(socket, "on", answering)
        await started(there)
        await there.hear(2.0, voice(2.0))
        first = there.deepgram.sockets[0]
        first.say(Transcript("hello", True, False, False, 0.0, 1.5, 0.9, (1.2, 1.5)))
        await asyncio.sleep(0.01)
        first.end(1006)
        await there.hear(1.0)
        assert there.deepgram.sockets[1].audio == round(1.5 * 8000)


@virtual_time
async def test_audio_that_comes_while_more_is_being_sent_is_sent_once_and_in_order() -> None:
    def slow(socket: Socket) -> None:
        async def send_audio(mulaw: bytes) -> None:
            await asyncio.sleep(0.05)
            socket.sent.append(("audio", mulaw))

        socket.send_audio = send_audio  # type: ignore[method-assign]

    async with place() as there:
        there.deepgram.does = slow
        await started(there)
        await asyncio.sleep(0.1)
        whole = random.Random(1).randbytes(12_000)
        there.line.hear(whole[:8000])
        for start in range(8000, 12_000, 160):
            await asyncio.sleep(0.02)
            there.line.hear(whole[start : start + 160])
        await asyncio.sleep(1.0)
        sent = b"".join(what for kind, what in there.deepgram.sockets[0].sent if kind == "audio")
        assert sent == whole


@virtual_time
async def test_a_socket_is_kept_alive_when_no_audio_comes_and_not_before() -> None:
    async with place() as there:
        there.deepgram.does = lambda socket: setattr(socket, "on", answering_never)
        await started(there)
        await there.hear(1.0)
        assert there.deepgram.sockets[0].kinds() == []
        await asyncio.sleep(3.5)
        assert "keep_alive" not in there.deepgram.sockets[0].kinds()
        await asyncio.sleep(1.0)
        assert there.deepgram.sockets[0].kinds() == ["keep_alive"]


def answering_never(socket: Socket, kind: str, what: Any) -> None:
    """Says nothing; to a second of audio it need not."""
