"""When a provider counts as lost, and when again it does not."""

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.measures.provider_health import ProviderHealth, lost, watch
from aybiza.actors.runtime import VM, virtual_time


def failed(health: ProviderHealth, *times: float, kind: str = "refused") -> ProviderHealth:
    for at in times:
        health.failed("deepgram", kind, at)
    return health


def test_a_provider_is_lost_after_so_many_failures_without_a_success() -> None:
    health = failed(ProviderHealth(3, 60.0), 1.0, 2.0)
    assert health.lost(2.0) == {}
    assert failed(health, 3.0).lost(3.0) == {"deepgram": 3}


def test_a_success_makes_up_for_all_of_them() -> None:
    health = failed(ProviderHealth(3, 60.0), 1.0, 2.0, 3.0)
    health.worked("bedrock")
    assert health.lost(3.0) == {"deepgram": 3}
    health.worked("deepgram")
    assert failed(health, 4.0, 5.0).lost(5.0) == {}


def test_what_is_long_ago_does_not_count() -> None:
    health = failed(ProviderHealth(3, 60.0), 1.0, 50.0, 60.0)
    assert health.lost(61.0) == {"deepgram": 3}
    assert health.lost(61.1) == {}


def test_a_request_that_was_wrong_is_no_failure_of_its_provider() -> None:
    health = failed(ProviderHealth(1, 60.0), 1.0, kind="validation")
    health.failed("bedrock", "too_long", 1.0)
    health.failed("carrier", "media_protocol", 1.0)
    assert health.lost(1.0) == {}


def test_nothing_is_ever_lost_where_the_rule_is_off() -> None:
    assert failed(ProviderHealth(0, 60.0), *range(100)).lost(100.0) == {}


@virtual_time
async def test_a_node_follows_the_events_of_its_providers() -> None:
    async with VM() as vm:
        assert lost(vm) == {}
        watch(vm, 2, 60.0)
        error = {"provider": "bedrock", "kind": "throttled", "model": "m", "region": "r"}
        for _ in range(2):
            emit(vm, events.PROVIDER_ERROR, call_id="CA1", **error)
        assert lost(vm) == {"bedrock": 2}
        emit(vm, events.PROVIDER_WORKED, provider="bedrock", call_id="CA1")
        assert lost(vm) == {}
