"""What a node knows of answers that were given before: its own, other nodes', and to questions that
mean the same.

    inquiry = Inquiry(vm, context, choice, said, first_words=True, turn=1)
    inquiry.at_once()               the answer to the same words on this node, or None
    await inquiry.look()            that of another node, or to a question in other words, or None
    inquiry.keep(sentences)         what was answered now
    await inquiry.share()           tell the other nodes
    await inquiry.aclose()          in any case

`look` runs beside the request to the model, so nobody waits for it, and gives up after
`LOOK_SECONDS`. Other nodes' answers stand in a Redis under a digest of the question, for as long as
the cache keeps its own. Answers by meaning are this node's: see `aybiza.dialogue.answer_cache` for
which are kept, `aybiza.dialogue.particulars` for which are given to whom.

Contract: an answer is known under its agent with all its settings, its tools, the kind of model,
the tenant and the question. Errors: none; a Redis or an embedder that fails is logged once in
`LOG_SECONDS`, and the model answers.
Source: specification 001, "Caching Strategy" (SETEX 300).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import structlog

from aybiza.actors.measures.charges import embedded
from aybiza.actors.memory.redis_failover import NO_REDIS, leave_demoted_soon
from aybiza.actors.runtime import VM
from aybiza.claude.choice import Choice
from aybiza.claude.embedding import LOCAL, Embedder
from aybiza.claude.errors import BedrockError, ErrorKind
from aybiza.claude.messages import encodable
from aybiza.claude.prompt_cache import estimated_tokens
from aybiza.dialogue.answer_cache import AnswerCache, Key, Meant, generate_cache_key
from aybiza.dialogue.particulars import is_impersonal, particulars, repeats

if TYPE_CHECKING:
    from aybiza.actors.call.call_context import CallContext

LOOK_SECONDS: Final = 1.0
REDIS_SECONDS: Final = 0.2
LOG_SECONDS: Final = 60.0
MOST_BYTES: Final = 32 * 1024
"""The longest answer that is told or taken, as JSON."""

How = Literal["exact", "shared", "similar"]

log = structlog.get_logger(__name__)


class Found(NamedTuple):
    """An answer that is known, and how it was found."""

    sentences: tuple[str, ...]
    how: How


class KnownAnswers:
    """See the module. For one loop. The Redis is at an address, or `client` leads to it, as
    `redis.asyncio.Redis` does."""

    def __init__(
        self,
        cache: AnswerCache | None = None,
        *,
        redis_url: str | None = None,
        client: Any = None,
        embedder: Embedder | None = None,
    ) -> None:
        self.cache = cache or AnswerCache()
        self.embedder = embedder
        self._redis: Any = client
        self._logged = -math.inf
        self._lost: tuple[type[Exception], ...] = (OSError, TimeoutError, *NO_REDIS)
        if redis_url is None and client is None:
            return
        # redis-py takes 6 MB, which a node without Redis does not need.
        import redis.asyncio as redis

        self._lost = (redis.RedisError, *self._lost)
        if redis_url is not None:
            self._redis = redis.Redis.from_url(
                redis_url,
                decode_responses=True,
                socket_timeout=REDIS_SECONDS,
                socket_connect_timeout=REDIS_SECONDS,
                retry=None,
            )

    async def heard(self, key: Key) -> tuple[str, ...]:
        """What another node has answered; empty if none did."""
        if self._redis is None:
            return ()
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                # More than that is nothing of ours, and would take the loop long to read.
                text = await self._redis.getrange(_name(key), 0, MOST_BYTES)
        except self._lost as error:
            self.failed("redis", error)
            return ()
        return sentences_of(text) if isinstance(text, str) else ()

    async def tell(self, key: Key, sentences: Sequence[str]) -> None:
        """Tell the other nodes."""
        if self._redis is None:
            return
        text = json.dumps(list(sentences))
        if len(text) > MOST_BYTES:
            return
        try:
            async with asyncio.timeout(REDIS_SECONDS):
                await self._redis.set(_name(key), text, ex=round(self.cache.seconds))
        except self._lost as error:
            self.failed("redis", error)
            await leave_demoted_soon(self._redis.connection_pool, error)

    @property
    def is_shared(self) -> bool:
        """Whether other nodes are asked."""
        return self._redis is not None

    def failed(self, what: str, error: Exception) -> None:
        """Say so, now and then."""
        now = asyncio.get_running_loop().time()
        if now - self._logged >= LOG_SECONDS:
            self._logged = now
            log.warning(
                "answers_not_looked_up", what=what, error=str(error) or type(error).__name__
            )

    async def aclose(self) -> None:
        """Close what it holds."""
        if self.embedder is not None:
            await asyncio.to_thread(self.embedder.close)
        if self._redis is not None:
            try:
                async with asyncio.timeout(REDIS_SECONDS):
                    await self._redis.aclose()
            except self._lost:
                return


def sentences_of(text: str) -> tuple[str, ...]:
    """The sentences that were told of an answer; none for what is no answer.

    >>> sentences_of('["At ten."]'), sentences_of("[1]"), sentences_of("")
    (('At ten.',), (), ())
    """
    try:
        told = json.loads(text or "[]") if len(text) <= MOST_BYTES else None
    except (ValueError, RecursionError):
        return ()
    if not isinstance(told, list) or not all(isinstance(each, str) for each in told):
        return ()
    return tuple(map(encodable, told))


class Inquiry:
    """See the module. `key` is None where nothing may be known of the question, and where the node
    keeps no answers."""

    def __init__(
        self,
        vm: VM,
        context: CallContext,
        choice: Choice,
        said: str,
        *,
        first_words: bool,
        turn: int | None = None,
    ) -> None:
        self._known = context.known_answers or KnownAnswers()
        wanted = context.known_answers is not None and first_words
        who = _who(context, choice) if wanted else ""
        self.key = generate_cache_key(who, context.tenant, said, first_words=wanted)
        self._vm, self._said = vm, said
        self._context, self._turn = context, turn
        self._threshold = context.agent.similar_answers
        self._language = context.speaking.language
        self._looking: asyncio.Task[Found | None] | None = None
        self._meant: Meant | None = None
        self._kept: tuple[str, ...] = ()

    @property
    def by_meaning(self) -> bool:
        """Whether a question in other words will do."""
        wanted = self._threshold is not None and self._known.embedder is not None
        return wanted and self.key is not None and is_impersonal(self._said, self._language)

    @property
    def elsewhere(self) -> bool:
        """Whether `look` has anything to look at."""
        return self.key is not None and (self._known.is_shared or self.by_meaning)

    def at_once(self) -> Found | None:
        """See the module."""
        if self.key is None:
            return None
        sentences = self._known.cache.find(self.key, self._vm.now())
        return Found(sentences, "exact") if sentences else None

    def look(self) -> asyncio.Task[Found | None]:
        """See the module."""
        self._looking = asyncio.ensure_future(self._look())
        return self._looking

    async def _look(self) -> Found | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                return await self._looked()
        except TimeoutError as error:
            self._known.failed("all", error)
            return None

    async def _looked(self) -> Found | None:
        assert self.key is not None
        if sentences := await self._known.heard(self.key):
            return Found(sentences, "shared")
        if not self.by_meaning or not await self._understand():
            return None
        assert self._meant is not None and self._threshold is not None
        now = self._vm.now()
        sentences = self._known.cache.near(self.key, self._meant, self._threshold, now)
        return Found(sentences, "similar") if sentences else None

    async def _understand(self) -> bool:
        """Have the question's meaning told; whether it was."""
        embedder = self._known.embedder
        assert embedder is not None
        charge = partial(embedded, self._vm, self._context, self._turn, embedder.name)
        try:
            vector, tokens = await embedder.embed(self._said, LOOK_SECONDS)
        except BedrockError as error:
            self._known.failed("embeddings", error)
            if error.kind is ErrorKind.TIMEOUT:
                charge(self._estimated(), estimated=True)
            return False
        except asyncio.CancelledError:
            # The model was first; the service charges all the same.
            charge(self._estimated(), estimated=True)
            raise
        charge(tokens)
        self._meant = Meant(vector, particulars(self._said, self._language))
        return True

    def _estimated(self) -> int:
        """How many tokens the question may have; none for a model of this machine."""
        local = self._known.embedder is None or self._known.embedder.name == LOCAL
        return 0 if local else estimated_tokens(self._said)

    def keep(self, sentences: Sequence[str]) -> None:
        """See the module."""
        if self.key is None:
            return
        self._kept = tuple(sentences)
        named = repeats(self._said, " ".join(sentences), self._language)
        meant = None if named else self._meant
        self._known.cache.keep(self.key, sentences, self._vm.now(), meant)

    async def share(self) -> None:
        """See the module. A meaning that was slower than the whole answer is kept, too."""
        if self.key is None or not self._kept:
            return
        if self._looking is not None:
            await asyncio.wait((self._looking,))
            self.keep(self._kept)
        await self._known.tell(self.key, self._kept)

    async def aclose(self) -> None:
        """Nothing is looked for any more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait((self._looking,))


def _who(context: CallContext, choice: Choice) -> str:
    """Who is asked: an agent that is changed is another one."""
    tools = context.toolbox.specs()
    told = [context.speaking.model_dump_json(), tools, choice.profile.model.tier]
    digest = hashlib.sha256(json.dumps(told, default=str).encode()).hexdigest()
    return f"{context.agent.name}:{digest}"


def _name(key: Key) -> str:
    """Nothing that was said stands in the name."""
    return f"aybiza:answer:{hashlib.sha256(json.dumps(key).encode()).hexdigest()}"
