"""What is read from files: an operator's, a developer's, and those that the node keeps itself."""

from __future__ import annotations

import io
import json
import wave
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from aybiza.actors.measures.audit import FIRST, _line, verify
from aybiza.actors.node.cookie import CookieError, read_cookie
from aybiza.claude.ledger import Ledger, Quotas
from aybiza.config import catalogue, prices, routes
from aybiza.config.agents import load_agent
from aybiza.config.js_literal import read_literal
from aybiza.config.quotas import QuotasError, load_quotas
from aybiza.config.vapi import from_vapi, to_vapi
from aybiza.dialogue.tools.catalogue import ToolsError, load_tools
from aybiza.dialogue.tools.openapi import operations
from aybiza.emulators.bedrock.rules import RulesError, load_rules
from aybiza.emulators.phone.script import SCRIPTS, ScriptError, load
from aybiza.emulators.services.crm import OPENAPI
from aybiza.speech.phrases import Phrase, packed, unpacked
from aybiza.speech.wav import AudioError, read_wav
from tests.fuzz.decoder import Decoder, InMemory
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


def _texts(
    texts: list[str],
    read: Callable[[Path], object],
    errors: tuple[type[Exception], ...],
) -> Decoder:
    """Text files that are broken in some places."""
    file = InMemory()
    return Decoder(
        lambda random: broken_text(random, random.choice(texts), texts),
        lambda text: read(file.holding(text)),
        errors,
    )


def _routes() -> Decoder:
    file = InMemory()
    told = [{"To": "+14155550100", "desk": "support"}, {"tenant": "Napoli Group"}, {"Route": "x"}]

    def make(random: Random) -> tuple[str, Any]:
        return broken_text(random, ROUTES, [ROUTES]), broken_json(random, told[0], told)

    def decode(given: tuple[str, Any]) -> None:
        text, call = given
        _, found = routes._read(file.holding(text), {})
        made = [
            routes.Route(name, agent, table.tenant or "", frozenset(table.numbers))
            for name, table in found.routes.items()
        ]
        list(routes._clashes(file.path, text, made))
        texts = {name: str(value) for name, value in call.items()} if _is_table(call) else {}
        routes.Routes(made[0], tuple(made)).choose(texts)

    agent = load_agent("clinic")
    return Decoder(make, decode, (routes.RoutesError,))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _tools() -> Decoder:
    def read(path: Path) -> None:
        load_tools(path, region="us-east-1", environment={"CRM_TOKEN": "t"})

    return _texts([TOOLS], read, (ToolsError,))


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
    return _texts(found, load_rules, (RulesError,))


def _scripts() -> Decoder:
    found = [path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.glob("*.toml"))[:6]]
    return _texts(found, lambda path: load(path, "text"), (ScriptError,))


def _prices() -> Decoder:
    return _texts([PRICES], prices.load, (prices.PricesError,))


def _models() -> Decoder:
    _, shipped = catalogue._table(catalogue.SHIPPED)
    # All of the shipped models would be read again for each input.
    below = {**shipped, "models": dict(list(shipped["models"].items())[:1]), "aliases": {}}

    def read(path: Path) -> None:
        text, own = catalogue._table(path)
        catalogue._check_sections(own, "models", text)
        catalogue._catalogue(catalogue._merged(below, own), "models", text)

    return _texts([MODELS], read, (catalogue.CatalogueError,))


def _quotas() -> Decoder:
    return _texts([QUOTAS], load_quotas, (QuotasError,))


def _cookies() -> Decoder:
    return _texts(["4fd1a0c37be952e8b1\n\n9a41d0c37be952e8c2\n"], read_cookie, (CookieError,))


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
