"""Whether what the settings name can be used, and by none but those who should.

Models, regions, credentials, network; behind them what a stranger could make use of
(`aybiza.console.weaknesses`).

Contract: `checks` says so in words, a line each, within `LIMIT` seconds whatever hangs. It opens
connections and closes them; it asks Redis and DynamoDB, if calls are kept there, and nobody else.
It shows no secret.
Errors: none; a check that fails says what is wrong and what to do.
Source: boto3: credentials, regions, proxies; Deepgram: hosts of the API.
"""

from __future__ import annotations

import difflib
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from typing import Any, Final
from urllib.parse import urlsplit

from aybiza.claude.choice import Policy
from aybiza.claude.experiments import SelectionError
from aybiza.config.catalogue import Catalogue
from aybiza.config.settings import Settings
from aybiza.console.weaknesses import weaknesses

LIMIT: Final = 5.0
"""Seconds for all checks together; they run side by side."""
CONNECT_LIMIT: Final = 3.0
DEEPGRAM_URL: Final = "wss://api.deepgram.com"

_PORTS = {"redis": 6379, "rediss": 6379, "http": 80, "ws": 80, "https": 443, "wss": 443}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: what was looked at, whether it will do, and what there is to say."""

    name: str
    ok: bool
    says: str


def checks(settings: Settings, catalogue: Catalogue) -> list[Check]:
    """All findings, in a fixed order."""
    jobs: list[tuple[str, Callable[[], Check]]] = [
        ("models", partial(_models, settings, catalogue)),
        ("AWS_REGION", partial(_region, "AWS_REGION", settings.aws_region)),
        (
            "AWS_FALLBACK_REGION",
            partial(_region, "AWS_FALLBACK_REGION", settings.aws_fallback_region),
        ),
        ("AWS credentials", partial(credentials, settings)),
        *_networks(settings),
        ("DEEPGRAM_API_KEY", partial(_deepgram_key, settings)),
        ("network: Deepgram", partial(_network, "Deepgram", settings.deepgram_url or DEEPGRAM_URL)),
        *_redis_network(settings),
        *_others(settings),
        *((f"memory: {name}", partial(_memory, settings, name)) for name in settings.memory),
    ]
    findings = [Check(*finding) for finding in weaknesses(settings)]
    done: queue.SimpleQueue[tuple[int, Check]] = queue.SimpleQueue()
    for number, (name, job) in enumerate(jobs):
        # Of its own will a look-up of names or credentials may not end in time.
        threading.Thread(target=_run, args=(number, name, job, done), daemon=True).start()
    found: dict[int, Check] = {}
    until = time.monotonic() + LIMIT
    while len(found) < len(jobs):
        try:
            number, check = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[number] = check
    return [
        found.get(number, Check(name, False, f"no answer within {LIMIT:g} s"))
        for number, (name, _) in enumerate(jobs)
    ] + findings


def _others(settings: Settings) -> list[tuple[str, Callable[[], Check]]]:
    """The chat service and ElevenLabs, for who has keys of them."""
    named = (
        ("OpenAI", settings.openai_api_key, settings.openai_base_url),
        ("ElevenLabs", settings.elevenlabs_api_key, settings.elevenlabs_url),
    )
    return [(f"network: {name}", partial(_network, name, url)) for name, key, url in named if key]


def _run(number: int, name: str, job: Callable[[], Check], done: Any) -> None:
    try:
        check = job()
    except Exception as error:
        check = Check(name, False, f"the check itself failed: {type(error).__name__}")
    done.put((number, check))


def _models(settings: Settings, catalogue: Catalogue) -> Check:
    try:
        policy = Policy.of(settings, catalogue, today=date.today())
    except SelectionError as error:
        return Check("models", False, "; ".join(error.problems))
    away = settings.aws_fallback_region
    lost = [
        f"{profile.id} cannot be asked from the fallback region {away}"
        for profile in policy.every
        if policy.region_of(profile, away) != away
    ]
    says = [", ".join(policy.ids), *policy.warnings, *lost]
    return Check("models", not lost, "; ".join(says))


@cache
def _known_regions() -> list[str]:
    """All regions of AWS; a tenth of a second of reading at the first time."""
    from boto3 import Session

    session = Session()
    known: list[str] = []
    # boto3 has no list of Bedrock's regions; EC2 is in all of them.
    for partition in session.get_available_partitions():
        known += session.get_available_regions("ec2", partition_name=partition)
    return known


def _region(variable: str, region: str) -> Check:
    known = _known_regions()
    if region in known:
        return Check(variable, True, region)
    near = ", ".join(difflib.get_close_matches(region, known, n=3, cutoff=0.0))
    return Check(
        variable,
        False,
        f"{region}: AWS has no such region that boto3 knows; the nearest are {near}",
    )


def credentials(settings: Settings) -> Check:
    """Whether there are any to ask Bedrock with; what they allow is not asked."""
    name = "AWS credentials"
    if settings.aws_access_key_id is not None:
        return Check(name, True, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set")
    from boto3 import Session
    from botocore.exceptions import BotoCoreError

    try:
        if os.environ.get("AWS_BEARER_TOKEN_BEDROCK"):
            return Check(name, True, "AWS_BEARER_TOKEN_BEDROCK is set")
        found = Session().get_credentials()
        if found is not None:
            found.get_frozen_credentials()
            return Check(name, True, f"found by boto3: {found.method}")
    except BotoCoreError as error:
        return Check(name, False, f"boto3 cannot get any: {type(error).__name__}: {error}")
    return Check(
        name,
        False,
        "boto3 finds none: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or"
        " give this machine a role",
    )


def _networks(settings: Settings) -> Iterator[tuple[str, Callable[[], Check]]]:
    """Bedrock's doors: the endpoint of the settings, or one in each region."""
    if settings.aws_endpoint_url_bedrock_runtime is not None:
        url = str(settings.aws_endpoint_url_bedrock_runtime)
        yield "network: Bedrock", partial(_network, "Bedrock", url)
        return
    for region in dict.fromkeys((settings.aws_region, settings.aws_fallback_region)):
        what = f"Bedrock in {region}"
        yield f"network: {what}", partial(_bedrock_network, what, region)


def _redis_network(settings: Settings) -> Iterator[tuple[str, Callable[[], Check]]]:
    """The Redis of all nodes; where calls are kept there, it is asked a question instead."""
    url = settings.redis_url
    if url is not None and not str(url).startswith("unix:") and "redis" not in settings.memory:
        yield "network: Redis", partial(_network, "Redis", str(url))


def _bedrock_network(what: str, region: str) -> Check:
    from boto3 import Session

    client = Session().client("bedrock-runtime", region_name=region)
    return _network(what, client.meta.endpoint_url)


def _network(what: str, url: str) -> Check:
    """Whether a connection can be opened to the URL, or to the proxy that leads there."""
    from botocore.utils import get_environ_proxies

    name = f"network: {what}"
    parts = urlsplit(url)
    proxies = get_environ_proxies(url.replace("ws", "http", 1) if url.startswith("ws") else url)
    proxy = proxies.get("https" if parts.scheme in ("https", "wss") else "http")
    if parts.scheme.startswith("redis"):  # it is not HTTP
        proxy = None
    through = ""
    if proxy:
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        through = ", the proxy of HTTPS_PROXY or HTTP_PROXY"
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    where = f"{host}:{port}{through}"
    try:
        socket.create_connection((host, port), timeout=CONNECT_LIMIT).close()
    except socket.gaierror:
        return Check(name, False, f"{where}: the name is not found: no network, or no such host")
    except TimeoutError:
        return Check(
            name, False, f"{where}: no answer within {CONNECT_LIMIT:g} s: no network, or a firewall"
        )
    except ConnectionRefusedError:
        return Check(name, False, f"{where}: nobody listens there")
    except OSError as error:
        return Check(name, False, f"{where}: no network: {error.strerror or error}")
    return Check(name, True, f"{where} can be reached")


def _memory(settings: Settings, name: str) -> Check:
    """Whether a store of the memory can be read: it is asked for a call that nobody has. A SQLite
    file is looked at and left as it is."""
    from aybiza.actors.memory.store import StoreError
    from aybiza.actors.memory.stores import stores

    if name == "sqlite":
        from aybiza.actors.memory.sqlite_file import looked_at

        path = str(settings.memory_path)
        says, good = looked_at(path)
        return Check(f"memory: {name}", good, f"{path}: {says}")
    (store,) = stores(settings.model_copy(update={"memory": (name,)}))
    try:
        store.read("a call that nobody has")
    except StoreError as error:
        return Check(f"memory: {name}", False, str(error))
    finally:
        store.close()
    return Check(f"memory: {name}", True, store.name)


def _deepgram_key(settings: Settings) -> Check:
    name = "DEEPGRAM_API_KEY"
    if settings.deepgram_api_key is not None:
        return Check(name, True, "is set")
    return Check(name, False, "is not set: calls can neither be heard nor answered")
