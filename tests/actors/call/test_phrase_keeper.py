"""The keeper of phrases: what is missing is synthesised, in the background, and kept on disk."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

from aybiza.actors import names
from aybiza.actors.call import kept_phrases
from aybiza.actors.call.phrase_keeper import RETRY_SECONDS, PhraseKeeper
from aybiza.actors.runtime import virtual_time
from aybiza.speech import phrase_files
from aybiza.speech.deepgram_socket import DeepgramRefused
from tests.actors.call.sockets import Place, Socket, place
from tests.actors.call.test_speaker_sockets import Voice, voice
from tests.call.kit import AGENT


async def started(there: Place, folder: Path | None) -> None:
    deepgram: Any = there.deepgram
    await there.vm.start(PhraseKeeper, lambda: [AGENT], deepgram, folder, name=names.PHRASES)


def missing(there: Place) -> set[str]:
    table = kept_phrases.table(there.vm)
    return {t for t in kept_phrases.fixed(AGENT) if table.get(AGENT.voice, t) is None}


async def settled() -> None:
    # Threads write at their own pace; virtual time waits for those that are waited for.
    for _ in range(50):
        await asyncio.sleep(1.0)


@virtual_time
async def test_what_is_missing_is_synthesised_and_is_there_after_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "phrases"
    async with place() as there:
        spoken = voice(there)
        await started(there, folder)
        await settled()
        assert missing(there) == set()
        assert len(there.deepgram.sockets) == 1 and there.deepgram.sockets[0].closed
        assert len(spoken.flushes) == len(kept_phrases.fixed(AGENT))
    assert len(phrase_files.read(folder)) == len(kept_phrases.fixed(AGENT))
    async with place() as there:
        await started(there, folder)
        await settled()
        assert missing(there) == set()
        assert there.deepgram.asked == []


@virtual_time
async def test_without_a_voice_it_is_tried_again_and_seldom() -> None:
    async with place() as there:
        spoken = Voice()

        def does(socket: Socket) -> None:
            if len(there.deepgram.asked) < 4:
                raise DeepgramRefused(503)
            socket.on = spoken

        there.deepgram.does = does
        await started(there, None)
        await asyncio.sleep(3600.0)
        asked = there.deepgram.asked
        waits = [later - earlier for earlier, later in pairwise(asked)]
        assert [round(wait / RETRY_SECONDS) for wait in waits] == [1, 2, 4]
        assert missing(there) == set()


@virtual_time
async def test_what_a_call_has_kept_is_written_down(tmp_path: Path) -> None:
    async with place() as there:
        there.deepgram.does = lambda socket: socket.end(1011)
        await started(there, tmp_path)
        await asyncio.sleep(1.0)
        kept_phrases.keep(there.vm, AGENT.voice, AGENT.greeting, b"audio")
        await settled()
    assert [phrase.text for phrase, _ in phrase_files.read(tmp_path)] == [AGENT.greeting]


@virtual_time
async def test_a_folder_that_cannot_be_written_costs_nothing_but_a_line_of_the_log(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("no folder")
    async with place() as there:
        voice(there)
        await started(there, tmp_path / "file")
        await settled()
        assert missing(there) == set()
        assert there.vm.whereis(names.PHRASES) is not None
