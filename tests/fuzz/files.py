"""What is read from files: an operator's, a developer's, and those that the node keeps itself."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any, Final
from unittest.mock import patch

from httpx import create_ssl_context

from aybiza.actors.measures.audit import FIRST, _line, verify
from aybiza.actors.node.cookie import CookieError, read_cookie
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.config import catalogue, prices, quotas, routes
from aybiza.config.agents import load_agent
from aybiza.config.js_literal import read_literal
from aybiza.config.vapi import from_vapi, to_vapi
from aybiza.dialogue.tools.catalogue import ToolsError, load_tools
from aybiza.dialogue.tools.openapi import operations
from aybiza.emulators.bedrock import rules
from aybiza.emulators.phone import script
from aybiza.emulators.services.crm import OPENAPI
from aybiza.speech.phrases import Phrase, packed, unpacked
from aybiza.speech.wav import AudioError, read_wav
from tests.fuzz.decoder import Decoder, InMemory, toml_files
from tests.fuzz.mutate import broken_bytes, broken_json, broken_text

ROOT: Final = Path(__file__).resolve().parents[2]
AGENT_FILES: Final = sorted((ROOT / "config" / "agents").glob("*.toml"))

ROUTES: Final = """
[routes.sales]
agent = "winery"
tenant = "Napoli Group"
numbers = ["+14155550100", "sip:sales@example.org", "200"]

[routes.support]
agent = "helpdesk"
parameters = { desk = "support" }

[routes.everything_else]
agent = "clinic"
"""
TOOLS: Final = """
[crm]
base_url = "https://crm.example.org/v2"
auth = { bearer = "CRM_TOKEN" }

[transfer.sales]
number = "+14155550123"
description = "prices and orders"

[connectors.tickets]
base_url = "https://tickets.example.org"
auth = { api_key = "CRM_TOKEN", name = "X-Api-Key" }
operations = { find = { method = "GET", path = "/find/{id}", input = { type = "object" } } }
"""
QUOTAS: Final = """
[default]
call_usd = 2.50

[tenants."Napoli Group"]
day_usd = 20
call_usd = 1.5
action = "refuse"

[tenants.clinic]
day_usd = "unlimited"
"""
PRICES: Final = (
    '[listen]\nnova-3 = 0.0077\n\n[speak]\n"aura-2" = 0.03\n\n[carrier]\ntwilio = 0.0085\n'
)
MODELS: Final = """
[aliases]
"Claude 4" = "anthropic.claude-new-1-0"

[models."anthropic.claude-new-1-0"]
name = "Claude New"
tier = "fast"
scores = { intelligence = 10, speed = 10, cost = 3 }
context = 200_000
max_output = 64_000
prices = { input = 1.00, output = 5.00, cache_read = 0.10, cache_write_5m = 1.25 }
profiles = ["us", "global"]
thinking = ["budget"]
sampling = "one_of"
"""
VAPI: Final[dict[str, Any]] = {
    "name": "Desk",
    "firstMessage": "Hello.",
    "transcriber": {"provider": "deepgram", "model": "nova-3", "keywords": ["aybiza:2"]},
    "model": {"provider": "x", "messages": [{"role": "system", "content": "You answer."}]},
    "voice": {"provider": "deepgram", "voiceId": "aura-2-thalia-en", "speed": 1.1},
    "silenceTimeoutSeconds": 30,
    "maxDurationSeconds": 600,
    "endCallMessage": "Goodbye.",
    "forwardingPhoneNumber": "+14155550123",
    "endCallFunctionEnabled": True,
}
LITERAL: Final = (
    "// An assistant\nconst config = { name: 'Desk', /* x */ \"voice\": { voiceId: `a\\n` },\n"
    " maxDurationSeconds: 6e2, messages: [{ role: 'system', content: 'A' },], on: true };"
)
SPENT: Final = {
    "calls": {"CA1": 5},
    "days": {"2026-01-01": 5},
    "tenant_days": [["2026-01-01", "clinic", 5]],
}


def _routes() -> Decoder:
    told = [{"To": "+14155550100", "desk": "support"}, {"tenant": "Napoli Group"}, {"Route": "x"}]
    random = Random("calls")
    calls = cycle([broken_json(random, told[0], told) for _ in range(1000)])
    agent = load_agent("clinic")

    def read(path: Path) -> None:
        text, found = routes._read(path, {})
        made = [
            routes.Route(name, agent, table.tenant or "", frozenset(table.numbers))
            for name, table in found.routes.items()
        ]
        list(routes._clashes(path, text, made))
        call = next(calls)
        texts = {name: str(value) for name, value in call.items()} if isinstance(call, dict) else {}
        routes.Routes(made[0], tuple(made)).choose(texts)

    return toml_files([ROUTES], read, (routes.RoutesError,))


def _tools() -> Decoder:
    # To read this machine's authorities for each of an input's clients takes 50 ms.
    context = create_ssl_context()
    made = patch("httpx._transports.default.create_ssl_context", lambda **_: context)

    def read(path: Path) -> None:
        with made:
            load_tools(path, region="us-east-1", environment={"CRM_TOKEN": "t"})

    return toml_files([TOOLS], read, (ToolsError,))


def _documents() -> Decoder:
    document = json.loads(json.dumps(OPENAPI))

    def decode(given: Any) -> None:
        if isinstance(given, dict):
            operations(given, left_out={})

    return Decoder(lambda random: broken_json(random, document, [document]), decode, (ValueError,))


def _vapi() -> Decoder:
    prompt = "You answer."

    def decode(given: Any) -> None:
        if isinstance(given, dict):
            from_vapi(given)

    agent = load_agent("clinic")
    configs = [VAPI, dict(to_vapi(agent, prompt).result)]
    return Decoder(lambda random: broken_json(random, random.choice(configs), configs), decode)


def _literals() -> Decoder:
    return Decoder(
        lambda random: broken_text(random, LITERAL, [LITERAL]), read_literal, (ValueError,)
    )


def _rules() -> Decoder:
    found = [path.read_text(encoding="utf-8") for path in AGENT_FILES if ".rules." in path.name]
    return toml_files(found, rules.load_rules, (rules.RulesError,))


def _scripts() -> Decoder:
    found = [path.read_text(encoding="utf-8") for path in sorted(script.SCRIPTS.glob("*.toml"))[:6]]
    return toml_files(found, lambda path: script.load(path, "text"), (script.ScriptError,))


def _prices() -> Decoder:
    shipped = prices.SHIPPED.read_text(encoding="utf-8")
    errors = (prices.PricesError,)
    return toml_files([PRICES], prices.load, errors, Decimal, beside=shipped)


def _models() -> Decoder:
    _, shipped = catalogue._table(catalogue.SHIPPED)
    # All of the shipped models would be read again for each input.
    below = {**shipped, "models": dict(list(shipped["models"].items())[:1]), "aliases": {}}

    def read(path: Path) -> None:
        text, own = catalogue._table(path)
        catalogue._check_sections(own, "models", text)
        catalogue._catalogue(catalogue._merged(below, own), "models", text)

    return toml_files([MODELS], read, (catalogue.CatalogueError,), Decimal)


def _quotas() -> Decoder:
    return toml_files([QUOTAS], quotas.load_quotas, (quotas.QuotasError,), Decimal)


def _cookies() -> Decoder:
    file, good = InMemory(), ["4fd1a0c37be952e8b1\n\n9a41d0c37be952e8c2\n"]
    return Decoder(
        lambda random: broken_text(random, good[0], good),
        lambda text: read_cookie(file.holding(text)),
        (CookieError,),
    )


def _recordings() -> Decoder:
    good = []
    for rate, width, channels in ((8000, 2, 1), (16000, 1, 2), (44100, 3, 1)):
        written = io.BytesIO()
        with wave.open(written, "wb") as out:
            out.setframerate(rate)
            out.setsampwidth(width)
            out.setnchannels(channels)
            out.writeframes(bytes(range(240)))
        good.append(written.getvalue())
    file = InMemory()
    return Decoder(
        lambda random: broken_bytes(random, random.choice(good), good),
        lambda data: read_wav(file.holding(data)),
        (AudioError,),
    )


def _phrases() -> Decoder:
    good = [packed(Phrase("aura", "Hello."), bytes(160)), packed(Phrase("", "é"), b"x")]
    return Decoder(lambda random: broken_bytes(random, random.choice(good), good), unpacked)


def _ledgers() -> Decoder:
    return Decoder(
        lambda random: broken_json(random, SPENT, [SPENT]),
        lambda told: Ledger.restored(Quotas(), told),
        (ValueError,),
    )


def _trails() -> Decoder:
    trail, before = b"", FIRST
    for number in (1, 2, 3):
        item = {"at": 1.7e9, "who": "node", "did": "call.began", "about": {"call": "CA1"}}
        line, before = _line(number, before, item, "front")
        trail += line
    lines = trail.splitlines(keepends=True)
    return Decoder(lambda random: broken_bytes(random, trail, [trail, *lines]), verify)


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "routes": _routes,
    "tools": _tools,
    "documents": _documents,
    "vapi": _vapi,
    "literals": _literals,
    "rules": _rules,
    "scripts": _scripts,
    "prices": _prices,
    "models": _models,
    "quotas": _quotas,
    "cookies": _cookies,
    "recordings": _recordings,
    "phrases": _phrases,
    "ledgers": _ledgers,
    "trails": _trails,
}
