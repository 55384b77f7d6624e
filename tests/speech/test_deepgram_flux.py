"""The Flux socket through the SDK: what is asked for, what is sent, what is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from aybiza.speech.deepgram_flux import TurnInfo, decode, parameters
from aybiza.speech.deepgram_listen import ListenOptions
from tests.speech.kit import client, websocket_server, within

TURN = {
    "type": "TurnInfo",
    "event": "EndOfTurn",
    "turn_index": 0,
    "audio_window_start": 0.0,
    "audio_window_end": 1.8,
    "transcript": "I need a cleaning",
    "words": [{"word": "cleaning", "confidence": 0.9, "start": 1.1, "end": 1.4}],
    "end_of_turn_confidence": 0.8,
    "sequence_id": 3,
}


async def test_a_flux_model_is_listened_to_on_its_own_door() -> None:
    seen: list[Any] = []

    async def behaviour(connection: ServerConnection) -> None:
        assert connection.request is not None
        seen.append(connection.request.path)
        await connection.send(json.dumps({"type": "Connected", "sequence_id": 0}))
        await connection.send(json.dumps({"type": "new", "sequence_id": 1}))
        for _ in range(3):
            seen.append(await connection.recv())
        await connection.send(json.dumps(TURN).encode())

    async with websocket_server(behaviour) as url:
        deepgram = await client(url)
        options = ListenOptions(model="flux-general-en", keyterms=("Lakeside",))
        session = await within(deepgram.turns(options, "CA1", 5.0))
        await session.send_audio(b"")
        await session.send_audio(b"audio")
        await session.keep_alive()
        await session.finalize()
        events = [event async for event in session]
        await within(session.close())
    path, audio, kept, forced = seen
    assert path.startswith("/v2/listen?")
    for part in ("model=flux-general-en", "encoding=mulaw", "sample_rate=8000", "keyterm=Lakeside"):
        assert part in path
    assert audio == b"audio" and set(kept) == {0xFF}
    assert json.loads(forced)["type"] == "ForceEndTurn"
    assert events == [TurnInfo("EndOfTurn", "I need a cleaning", 1.8, 1.4, 0)]


def test_a_model_of_many_languages_is_told_which_to_expect() -> None:
    many = ListenOptions(model="flux-general-multi", language="de-AT")
    assert parameters(many)["language_hint"] == ["de"]
    assert "language_hint" not in parameters(ListenOptions(model="flux-general-en"))


def test_deepgram_learns_nothing_from_a_private_call() -> None:
    private = ListenOptions(model="flux-general-en", private=True)
    assert parameters(private)["mip_opt_out"] == "true"
    assert "mip_opt_out" not in parameters(ListenOptions(model="flux-general-en"))


@pytest.mark.parametrize(
    "message",
    [{}, {"type": "TurnInfo"}, {"type": "TurnInfo", "event": 3}, {"type": "Update", "event": "x"}],
)
def test_what_says_nothing_about_the_caller_is_passed_over(message: dict[str, Any]) -> None:
    assert decode(message) is None


@pytest.mark.parametrize("words", [None, [], [3], [{"end": "soon"}], [{"end": -1}]])
def test_words_without_times_are_understood_without_them(words: Any) -> None:
    assert decode({**TURN, "words": words}) == TurnInfo(
        "EndOfTurn", "I need a cleaning", 1.8, turn=0
    )
