"""Whatever reads what others have written stands in the table of decoders, or says why it does not.

A module reads if it calls one of `READERS`. `READ_BY` names the decoders that try it; a text in
their place says why nobody from outside writes what it reads.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

from tests.fuzz.decoders import DECODERS

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = (
    *("actors", "claude", "config", "console", "dialogue", "gateway", "speech", "supervisors"),
)
READERS: Final = frozenset(
    (
        *("unpack", "unpack_from", "iter_unpack", "fromhex", "unhexlify"),
        *("b64decode", "urlsafe_b64decode", "a2b_base64", "a2b_qp", "decompress", "decompressobj"),
        *("parse_qs", "parse_qsl", "urlsplit", "urlparse", "ip_address", "fromstring"),
        *("model_validate", "model_validate_json", "validate_json", "raw_decode", "Unpickler"),
        *("load_pem_x509_certificates", "parsedate_to_datetime"),
    )
)
READERS_OF: Final = frozenset(("json", "pickle", "tomllib", "marshal"))
"""Modules whose `load` and `loads` are meant; `load` of anything else is its own affair."""

_WORTH_A_LOOK: Final = re.compile(rf"\b(?:loads?|{'|'.join(READERS)})\(")

OURS: Final = "reads what this process or a command of ours has written"
SETTING: Final = "reads a setting, which `settings` has judged"
READ_BY: Final[dict[str, str | tuple[str, ...]]] = {
    "actors/call/known_answers.py": ("told_answers",),
    "actors/cluster/signals.py": ("signals",),
    "actors/measures/audit.py": ("trails",),
    "actors/measures/costs_keeper.py": ("ledgers",),
    "actors/measures/otlp_door.py": ("collectors",),
    "actors/measures/records_pages.py": ("pages",),
    "actors/memory/process_store.py": OURS,
    "actors/memory/redis_store.py": ("redis",),
    "actors/memory/store.py": ("sqlite", "dynamodb", "redis"),
    "actors/node/client.py": "reads a keeper's answer, which only comes in a signed frame",
    "actors/node/frames.py": ("frames",),
    "actors/node/guard.py": ("frames",),
    "actors/node/wire.py": ("wire",),
    "actors/outbound/attempt_store.py": ("attempts",),
    "actors/recordings/shelf.py": ("sealed",),
    "actors/recordings/sound.py": ("sealed",),
    "claude/aws_session.py": "reads a table that botocore brings, or that the operator puts there",
    "claude/chat/client.py": ("chat",),
    "claude/chat/errors.py": ("chat",),
    "claude/embedding.py": ("embeddings",),
    "claude/experiments.py": ("experiments", "selections"),
    "claude/messages.py": ("results",),
    "claude/stream.py": ("bedrock",),
    "claude/warming.py": OURS,
    "config/agent_types.py": "reads a file of the package",
    "config/agents.py": ("agents",),
    "config/asked_waits.py": ("waits",),
    "config/catalogue.py": ("models",),
    "config/door_settings.py": ("settings",),
    "config/fields.py": ("settings",),
    "config/js_literal.py": ("literals",),
    "config/json_schema.py": ("schemas", "listed"),
    "config/outbound.py": ("dial_rules", "campaigns", "dial_lists"),
    "config/phrases.py": "reads a file of the package",
    "config/prices.py": ("prices",),
    "config/quotas.py": ("quotas",),
    "config/recording.py": "reads a file of the package",
    "config/routes.py": ("routes",),
    "config/toml_file.py": ("agents", "routes", "quotas"),
    "config/vapi.py": ("vapi",),
    "config/vapi_plans.py": ("vapi",),
    "console/audit.py": ("trails",),
    "console/become.py": OURS,
    "console/checks.py": SETTING,
    "console/demo.py": OURS,
    "console/diagnosis/sip_rules.py": ("sip",),
    "console/diagnosis/wav.py": ("wav",),
    "console/emulated.py": OURS,
    "console/listeners.py": "reads what the kernel tells of its sockets",
    "console/loadtest.py": "reads what an operator types",
    "console/machine.py": SETTING,
    "console/node_emulators.py": SETTING,
    "console/runner.py": OURS,
    "console/tools.py": "reads what an operator types",
    "console/weaknesses.py": SETTING,
    "dialogue/analysis_request.py": ("analyses",),
    "dialogue/tools/catalogue.py": ("tools",),
    "dialogue/tools/code_execution.py": ("programs",),
    "dialogue/tools/connectors.py": ("documents",),
    "dialogue/tools/http_api.py": ("answers",),
    "dialogue/tools/http_auth.py": ("keys",),
    "dialogue/tools/http_body.py": ("answers",),
    "dialogue/tools/mcp_server.py": ("listed", "results"),
    "dialogue/tools/paging.py": ("links",),
    "dialogue/tools/mcp_transports.py": "one line to a library's reader, whose ValueError is taken",
    "gateway/admission/address_seals.py": ("addresses",),
    "gateway/admission/admission.py": ("headers",),
    "gateway/admission/callers.py": ("headers",),
    "gateway/admission/carrier_signatures.py": ("headers",),
    "gateway/admission/http_admission.py": ("subprotocols",),
    "gateway/admission/signature.py": ("headers", "forms"),
    "gateway/admission/stream_token.py": ("tokens",),
    "gateway/admission/tls.py": ("certificates",),
    "gateway/admission/form_pairs.py": ("forms",),
    "gateway/carriers/audio_socket_codec.py": ("audiosocket",),
    "gateway/carriers/json_frames.py": ("twilio", "telnyx", "signalwire", "freeswitch"),
    "gateway/carriers/twilio_codec.py": ("twilio",),
    "gateway/console/pages.py": ("wishes",),
    "gateway/control/placing.py": ("orders",),
    "gateway/control/rest.py": ("refusals",),
    "gateway/http.py": ("forms",),
    "gateway/placed.py": ("addresses",),
    "gateway/twiml.py": SETTING,
    "speech/deepgram_socket.py": ("deepgram",),
    "speech/elevenlabs.py": ("voices",),
    "speech/phrases.py": ("phrases",),
    "speech/spoken_words.py": "reads a file of the package",
}


def reads(source: str) -> bool:
    """Whether a module with this text reads what others may have written."""
    if not _WORTH_A_LOOK.search(source):
        return False
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value, "load" | "loads")):
                if isinstance(value, ast.Name) and value.id in READERS_OF:
                    return True
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in READERS:
                return True
    return False


def test_a_module_that_reads_is_found() -> None:
    assert reads("import json\ndef f(text): return json.loads(text)")
    assert reads("def f(data): return HEADER.unpack_from(data)")
    assert not reads("import json\ndef f(value): return json.dumps(value), self.load()")


def test_every_module_that_reads_what_others_write_is_tried_or_says_why_not() -> None:
    reading = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if reads(path.read_text(encoding="utf-8"))
    }
    assert reading - set(READ_BY) == set(), "put them into READ_BY, with a decoder each"
    assert set(READ_BY) - reading == set(), "these read nothing any more"


def test_the_decoders_that_are_named_are_there() -> None:
    named = {name for names in READ_BY.values() if isinstance(names, tuple) for name in names}
    assert named <= set(DECODERS)
