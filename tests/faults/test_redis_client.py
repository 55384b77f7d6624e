"""A Redis in memory answers a node's loop as one does, unless it is gone, slow or empty."""

import asyncio

import pytest
from limits import RateLimitItemPerMinute
from limits.aio.strategies import FixedWindowRateLimiter
from redis.exceptions import RedisError

from aybiza.actors.call.known_answers import KnownAnswers
from aybiza.actors.measures.costs_sharer import share
from aybiza.claude.ledger import Ledger, day_of
from aybiza.dialogue.answer_cache import generate_cache_key
from aybiza.faults.caller import hangs_up, says
from aybiza.faults.redis_client import Requests
from aybiza.faults.world import World, in_world

NOW = 1_800_000_000.0
ANSWERS = {"Where is it?": ["It is near the river."]}


def test_what_one_node_has_answered_another_one_knows_unless_redis_fails() -> None:
    async def look(world: World) -> None:
        redis, client = world.redis, world.redis.client
        key = generate_cache_key("desk", "", "Where is it?", first_words=True)
        assert key is not None
        one, other = KnownAnswers(client=client), KnownAnswers(client=client)
        await one.tell(key, ["It is near the river."])
        assert await other.heard(key) == ("It is near the river.",)
        redis.gone = True
        assert await other.heard(key) == ()
        redis.gone, redis.seconds = False, 5.0
        began = asyncio.get_running_loop().time()
        assert await other.heard(key) == ()
        assert asyncio.get_running_loop().time() - began < 1.0
        redis.seconds = 0.0
        redis.lose_all()
        assert await other.heard(key) == ()

    in_world(look)


def test_costs_and_requests_are_counted_at_the_server() -> None:
    async def look(world: World) -> None:
        client = world.redis.client
        one, two = Ledger(), Ledger()
        one.charge(700, call_id="CA1", tenant_id="Desk", now=NOW)
        await share(client, one, "one", NOW)
        await share(client, two, "two", NOW)
        assert list(two.elsewhere.values()) == [700]
        assert client.hash(f"aybiza:spent:{day_of(NOW)}") == {"one\nDesk": "700"}
        here = FixedWindowRateLimiter(Requests(client))
        twice = RateLimitItemPerMinute(2)
        assert [await here.hit(twice, "10.0.0.1") for _ in range(3)] == [True, True, False]
        world.redis.lose_all()
        assert await here.hit(twice, "10.0.0.1")
        world.redis.gone = True
        with pytest.raises(RedisError):
            await here.hit(twice, "10.0.0.1")

    in_world(look)


def test_a_node_of_a_world_with_redis_has_answers_costs_and_requests_there() -> None:
    async def talk(world: World) -> None:
        client = world.redis.client
        for number in (1, 2):
            async with world.call(says("Where is it?"), hangs_up(), call_id=f"CA{number}") as call:
                await call.over()
            assert "It is near the river." in call.heard
        assert len(world.bedrock.journal.records) == 1, "the second was known"
        await asyncio.sleep(2.0)
        assert any(map(int, client.hash("aybiza:spent:2026-01-05").values()))
        assert client._texts

    in_world(talk, answers=ANSWERS, redis=True)
