"""Whether the providers can be used is said in words, in time, and without a secret."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aybiza.config.catalogue import shipped
from aybiza.config.ports import free_port
from aybiza.config.settings import load
from aybiza.console import checks as module
from aybiza.console.checks import Check, checks

SECRET = "s3cret"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy, no credentials but those of a test, and time enough on a busy machine."""
    monkeypatch.setattr(module, "LIMIT", 30.0)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_BEARER_TOKEN_BEDROCK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")


@pytest.fixture
def door() -> Iterator[str]:
    """The address of a listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def found(bedrock: str, deepgram: str, **environment: str) -> dict[str, Check]:
    settings = load(
        {
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": f"http://{bedrock}",
            "DEEPGRAM_URL": f"ws://{deepgram}",
            **environment,
        }
    )
    return {check.name: check for check in checks(settings, shipped())}


KEYS = {
    "AWS_ACCESS_KEY_ID": SECRET,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "DEEPGRAM_API_KEY": SECRET,
}


def test_all_is_well_where_all_can_be_used(door: str) -> None:
    seen = found(door, door, **KEYS)
    assert list(seen) == [
        "models",
        "AWS_REGION",
        "AWS_FALLBACK_REGION",
        "AWS credentials",
        "network: Bedrock",
        "DEEPGRAM_API_KEY",
        "network: Deepgram",
        "memory: sqlite",
        "doors: signatures",
        "doors: TLS",
        "doors: proxies",
        "doors: rate limit",
        "doors: console",
        "doors: carriers",
        "doors: switches",
        "Redis",
        "faults",
        "cluster cookie",
    ]
    assert all(check.ok for check in seen.values()), seen
    assert seen["network: Bedrock"].says == f"{door} can be reached"


def test_what_a_stranger_could_make_use_of_is_a_finding(door: str) -> None:
    seen = found(door, door, AYBIZA_BIND="0.0.0.0", **KEYS)
    assert not seen["doors: signatures"].ok
    assert "set TWILIO_AUTH_TOKEN" in seen["doors: signatures"].says


def test_no_secret_is_shown(door: str) -> None:
    assert SECRET not in repr(found(door, door, **KEYS))


def test_an_unknown_region_comes_with_the_nearest(door: str) -> None:
    seen = found(door, door, AWS_FALLBACK_REGION="us-esat-2", AWS_REGION="eu-west-1")
    assert seen["AWS_REGION"] == Check("AWS_REGION", True, "eu-west-1")
    assert not seen["AWS_FALLBACK_REGION"].ok
    assert seen["AWS_FALLBACK_REGION"].says.startswith("us-esat-2: AWS has no such region")
    assert "us-east-2" in seen["AWS_FALLBACK_REGION"].says


def test_missing_credentials_are_said_with_what_to_do(door: str) -> None:
    seen = found(door, door)
    assert not seen["AWS credentials"].ok
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in seen["AWS credentials"].says
    assert not seen["DEEPGRAM_API_KEY"].ok


@pytest.mark.parametrize(
    ("name", "says"),
    [("AWS_ACCESS_KEY_ID", "found by boto3: env"), ("AWS_BEARER_TOKEN_BEDROCK", "is set")],
)
def test_credentials_that_boto3_finds_are_said_by_their_kind(
    door: str, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setenv(name, SECRET)
    if name == "AWS_ACCESS_KEY_ID":
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    check = found(door, door)["AWS credentials"]
    assert check.ok
    assert says in check.says
    assert SECRET not in check.says


def test_a_profile_that_does_not_exist_is_named(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    check = found(door, door)["AWS credentials"]
    assert not check.ok
    assert "nobody" in check.says


def test_a_door_where_nobody_listens_is_said_so(door: str, closed: str) -> None:
    seen = found(closed, door)
    assert seen["network: Bedrock"] == Check(
        "network: Bedrock", False, f"{closed}: nobody listens there"
    )
    assert seen["network: Deepgram"].ok


def test_a_redis_that_nodes_share_is_reached_though_no_call_is_kept_there(
    door: str, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{closed}")  # no way to Redis
    assert found(door, door, REDIS_URL=f"redis://{door}/0")["network: Redis"].ok
    away = found(door, door, REDIS_URL=f"redis://{closed}/0")["network: Redis"]
    assert away == Check("network: Redis", False, f"{closed}: nobody listens there")
    assert "network: Redis" not in found(door, door)


def test_a_name_that_is_not_found_is_no_network_or_no_host(door: str) -> None:
    check = found("nowhere.invalid", door)["network: Bedrock"]
    assert check.says.startswith("nowhere.invalid:80: the name is not found: no network")


def test_a_proxy_is_what_is_reached(
    door: str, closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{closed}")
    monkeypatch.setenv("NO_PROXY", "deepgram.invalid")
    check = found("bedrock.invalid", door)["network: Bedrock"]
    assert check.says == f"{closed}, the proxy of HTTPS_PROXY or HTTP_PROXY: nobody listens there"


def test_wrong_models_are_a_finding_and_changed_ones_are_told(door: str) -> None:
    wrong = found(door, door, AWS_BEDROCK_MODELS="a.one")["models"]
    assert not wrong.ok
    assert wrong.says.startswith("AWS_BEDROCK_MODELS: a.one: there is no such model")
    changed = found(door, door, AWS_BEDROCK_MODELS="anthropic.claude-4-opus-20250120")["models"]
    assert changed.ok
    assert "is asked instead" in changed.says


def test_a_model_that_the_fallback_region_does_not_serve_is_a_finding(door: str) -> None:
    check = found(
        door, door, AWS_REGION="eu-west-1", AWS_BEDROCK_MODELS="eu.anthropic.claude-opus-5"
    )["models"]
    assert not check.ok
    assert check.says.endswith(
        "eu.anthropic.claude-opus-5 cannot be asked from the fallback region us-west-2"
    )


def test_what_hangs_does_not_hold_up_the_rest(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def hang(*_: object) -> Check:
        ended.wait(30)
        return Check("x", True, "")

    monkeypatch.setattr(module, "LIMIT", 0.5)
    monkeypatch.setattr(module, "credentials", hang)
    began = time.monotonic()
    try:
        seen = found(door, door, **KEYS)
    finally:
        ended.set()
    assert time.monotonic() - began < 20
    assert seen["AWS credentials"] == Check("AWS credentials", False, "no answer within 0.5 s")
    assert seen["DEEPGRAM_API_KEY"].ok


def test_a_check_that_fails_itself_says_so(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Check:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(module, "credentials", fail)
    check = found(door, door)["AWS credentials"]
    assert check == Check("AWS credentials", False, "the check itself failed: RuntimeError")


def test_without_an_endpoint_of_its_own_each_region_has_its_door() -> None:
    names = [name for name, _ in module._networks(load({"AWS_REGION": "eu-west-1"}))]
    assert names == ["network: Bedrock in eu-west-1", "network: Bedrock in us-west-2"]


def test_a_store_of_the_memory_that_cannot_be_had_is_a_finding(door: str, tmp_path: Path) -> None:
    path = tmp_path / "memory.sqlite3"
    path.write_text("no database" * 100)
    nobody = f"127.0.0.1:{free_port()}"
    seen = found(
        door,
        door,
        AYBIZA_MEMORY="redis+dynamodb+sqlite+memory",
        AYBIZA_MEMORY_PATH=str(path),
        REDIS_URL=f"redis://:{SECRET}@{nobody}",
        AWS_ENDPOINT_URL_DYNAMODB=f"http://{nobody}",
        **KEYS,
    )
    says = {name: seen[f"memory: {name}"] for name in ("redis", "dynamodb", "sqlite", "memory")}
    assert [check.ok for check in says.values()] == [False, False, False, True]
    assert "Connection refused" in says["redis"].says
    assert "Could not connect" in says["dynamodb"].says
    assert "file is not a database" in says["sqlite"].says
    assert SECRET not in repr(says)
