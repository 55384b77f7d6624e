"""A server on Twilio's Media Streams that knows the answers by itself.

`STAND_IN=doubles` has it say the second one twice. It asks Deepgram for one connection a call, and
the model for none.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from http import HTTPStatus

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from aybiza.benchmarks.resilience import ANSWERS
from aybiza.benchmarks.stranger import BYTES_PER_CHAR
from aybiza.emulators.textaudio import TextAudioDecoder, encode

SPEAK = "/v1/speak?encoding=mulaw&sample_rate=8000"
TIMES = {"eat": 2 if os.environ.get("STAND_IN") == "doubles" else 1}


async def talk(socket: ServerConnection) -> None:
    url = os.environ["DEEPGRAM_URL"] + SPEAK
    key = {"authorization": f"Token {os.environ['DEEPGRAM_API_KEY']}"}
    decoder, heard, stream = TextAudioDecoder(), "", ""
    async with connect(url, additional_headers=key, proxy=None):
        async for message in socket:
            told = json.loads(message)
            stream = told.get("streamSid", stream)
            if told["event"] == "media":
                heard += decoder.feed(base64.b64decode(told["media"]["payload"]))
            if not heard.endswith("?"):
                continue
            word = next(word for word in ANSWERS if word in heard)
            heard = ""
            text = " ".join(ANSWERS[word] * TIMES.get(word, 1)) + " "
            payload = base64.b64encode(encode(text, BYTES_PER_CHAR)).decode()
            media = {"event": "media", "streamSid": stream, "media": {"payload": payload}}
            await socket.send(json.dumps(media))


def root(connection: ServerConnection, request: Request) -> Response | None:
    return connection.respond(HTTPStatus.OK, "here\n") if request.path == "/" else None


async def main() -> None:
    async with serve(talk, "127.0.0.1", int(os.environ["PORT"]), process_request=root) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
