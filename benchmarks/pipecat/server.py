"""Pipecat behind Twilio's Media Streams, with Deepgram and Bedrock: a server for `aybiza bench
resilience` and `load`.

It is built as Pipecat's telephone example is: a websocket at `/ws`, the Twilio serializer, Deepgram
for both directions, Claude on Bedrock, every option as it is by default. Two things differ. The
caller's turns begin and end by Deepgram's transcripts, because the bench's voices carry texts and
no voice that a VAD would know. Audio to and from Deepgram is mulaw at 8000 Hz, which the emulator
takes alone. TwiML and webhook are those of the example: the stream, then a pause of 40 s.

Two variables are for `aybiza bench load`: PIPECAT_TURN_SECONDS, how long a turn waits for more
words (Pipecat's own 0.6 s), and PIPECAT_CLIENT=shared, one client of Bedrock for all answers in
place of one an answer.

It runs in an environment of its own (`requirements.txt`); nothing of aybiza is imported.
"""

from __future__ import annotations

import asyncio
import audioop
import contextlib
import os
from collections.abc import AsyncGenerator
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import HTMLResponse
from pipecat.frames.frames import Frame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineParams, PipelineTask
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.aws.llm import AWSBedrockLLMService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.deepgram.tts import DeepgramTTSService
from pipecat.transports.websocket.fastapi import (
    FastAPIWebsocketParams,
    FastAPIWebsocketTransport,
)
from pipecat.turns.user_start import TranscriptionUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies

RATE = 8000
MODEL = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
GREETING = "Thank you for calling. How can I help you today?"

TURN_SECONDS = float(os.environ.get("PIPECAT_TURN_SECONDS", "0.6"))
SHARED = os.environ.get("PIPECAT_CLIENT") == "shared"

app = FastAPI()


class SharedClient:
    """In place of a session of aiobotocore: its `create_client` gives the same client each time."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._making = asyncio.Lock()
        self._client: Any = None

    def create_client(self, **parameters: Any) -> Any:
        """The client, to be entered; it stays open."""

        @contextlib.asynccontextmanager
        async def entered() -> AsyncGenerator[Any, None]:
            async with self._making:
                if self._client is None:
                    self._client = await self._session.create_client(**parameters).__aenter__()
            yield self._client

        return entered()


shared: list[SharedClient] = []


def share(llm: Any) -> None:
    """Have this call's service use the client of all calls."""
    if not shared:
        shared.append(SharedClient(llm._aws_session))
    llm._aws_session = shared[0]


class MulawSTT(DeepgramSTTService):
    """Deepgram's listen, in mulaw."""

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        async for frame in super().run_stt(audioop.lin2ulaw(audio, 2)):
            yield frame


class MulawTTS(DeepgramTTSService):
    """Deepgram's speak, in mulaw."""

    async def append_to_audio_context(self, context_id: str, frame: Frame) -> None:
        if isinstance(frame, TTSAudioRawFrame):
            frame.audio = audioop.ulaw2lin(frame.audio, 2)
            frame.num_frames = len(frame.audio) // 2
        await super().append_to_audio_context(context_id, frame)


@app.post("/incoming")
async def incoming(request: Request) -> HTMLResponse:
    """The voice webhook."""
    url = f"ws://{request.headers['host']}/ws"
    stream = f'<Connect><Stream url="{url}"></Stream></Connect><Pause length="40"/>'
    text = f'<?xml version="1.0" encoding="UTF-8"?><Response>{stream}</Response>'
    return HTMLResponse(text, media_type="application/xml")


@app.websocket("/ws")
async def media(websocket: WebSocket) -> None:
    """One call."""
    await websocket.accept()
    _, call = await parse_telephony_websocket(websocket)
    await talk(websocket, call)


async def talk(websocket: WebSocket, call: Any) -> None:
    """The pipeline of a call, until the stream ends."""
    serializer = TwilioFrameSerializer(
        stream_sid=call["stream_id"],
        call_sid=call["call_id"],
        params=TwilioFrameSerializer.InputParams(auto_hang_up=False),
    )
    transport = FastAPIWebsocketTransport(
        websocket=websocket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True,
            audio_out_enabled=True,
            add_wav_header=False,
            serializer=serializer,
        ),
    )
    address = os.environ["DEEPGRAM_URL"]
    key = os.environ["DEEPGRAM_API_KEY"]
    stt = MulawSTT(api_key=key, base_url=address, encoding="mulaw", sample_rate=RATE)
    tts = MulawTTS(api_key=key, base_url=address, encoding="mulaw", sample_rate=RATE)
    # The endpoint is botocore's own variable, AWS_ENDPOINT_URL_BEDROCK_RUNTIME.
    llm = AWSBedrockLLMService(
        aws_region=os.environ["AWS_REGION"],
        settings=AWSBedrockLLMService.Settings(
            model=MODEL, system_instruction="You answer the telephone."
        ),
    )
    if SHARED:
        share(llm)
    strategies = UserTurnStrategies(
        start=[TranscriptionUserTurnStartStrategy()],
        stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=TURN_SECONDS)],
    )
    aggregators = LLMContextAggregatorPair(
        LLMContext(), user_params=LLMUserAggregatorParams(user_turn_strategies=strategies)
    )
    steps = [transport.input(), stt, aggregators.user(), llm, tts, transport.output()]
    task = PipelineTask(
        Pipeline([*steps, aggregators.assistant()]),
        params=PipelineParams(audio_in_sample_rate=RATE, audio_out_sample_rate=RATE),
    )

    @transport.event_handler("on_client_connected")
    async def connected(_transport: Any, _client: Any) -> None:
        await task.queue_frames([TTSSpeakFrame(GREETING, append_to_context=False)])

    @transport.event_handler("on_client_disconnected")
    async def disconnected(_transport: Any, _client: Any) -> None:
        await task.cancel()

    await PipelineRunner(handle_sigint=False).run(task)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning")
