"""What operators and developers write: settings, certificates, whom the node may call, campaigns,
personas of evals, and experiments on models."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from random import Random
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from aybiza.claude import experiments
from aybiza.config import outbound, settings
from aybiza.faults import persona
from aybiza.gateway.admission.tls import TlsError, last_second, unfit
from tests.fuzz.decoder import Decoder, InMemory, toml_files
from tests.fuzz.mutate import broken_bytes, broken_text

RULES: Final = """
own_numbers = ["+14155550100"]
opt_in = "/dev/null"
do_not_call = "/dev/null"
holidays = [2026-12-25]
detect = "here"

[hours]
monday = ["09:00-18:00"]

[limits]
attempts_a_day = 1
spacing_minutes = 30
"""
CAMPAIGN: Final = """
name = "spring"
agent = "clinic"
from = "+14155550100"
numbers = ["+14155552671", "+442079460000"]
holidays = [2026-12-25]

[hours]
monday = ["09:00-18:00"]

[limits]
attempts = 2
calls_a_second = 0.5
"""
NUMBERS: Final = 'name,number\n"Anna, M.",+14155552671\n# x,\nBob,+442079460000\n'
EXPERIMENT: Final = """
rule = "current"

[[experiment]]
name = "haiku"
share = 0.2

[[experiment.arm]]
name = "control"
weight = 1
rule = "current"

[[experiment.arm]]
name = "small"
model = "global.anthropic.claude-haiku-5-5"
"""
ENVIRONMENT: Final = {
    "AYBIZA_PUBLIC_URL": "https://phone.example.org",
    "AYBIZA_HTTP_PORT": "8080",
    "AYBIZA_TRUSTED_PROXIES": "10.0.0.0/8,::1",
    "AYBIZA_MEMORY": "sqlite,redis",
    "REDIS_URL": "rediss://:secret@redis.example.org:6380/0",
    "AYBIZA_SELECTION": "current=80,global.anthropic.claude-haiku-5-5=20",
    "TWILIO_AUTH_TOKEN": "0123456789abcdef0123456789abcdef",
    "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc",
}


def _settings() -> Decoder:
    values = [*ENVIRONMENT.values(), "1", "true", "", "1.5"]
    names = list(settings.FIELDS)

    def make(random: Random) -> dict[str, str]:
        made = dict(random.sample(list(ENVIRONMENT.items()), 3))
        for name in random.sample(names, 3):
            made[name] = random.choice(values)
        name = random.choice(list(made))
        made[name] = broken_text(random, made[name], values)
        return made

    def decode(made: dict[str, str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            settings.load(made)

    return Decoder(make, decode, (settings.SettingsError,))


def _certificate() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "phone.example.org")])
    names = [x509.DNSName("*.example.org"), x509.IPAddress(ip_address("10.0.0.1"))]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
        .public_bytes(Encoding.DER)
    )


def _certificates() -> Decoder:
    der, file = _certificate(), InMemory()
    head, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"

    def make(random: Random) -> bytes:
        from base64 import encodebytes

        inner = broken_bytes(random, der, [der])
        pem = b"\n".join((head, encodebytes(inner), end))
        return broken_bytes(random, pem, [pem]) if random.random() < 0.3 else pem

    def decode(data: bytes) -> None:
        path = file.holding(data)
        unfit(path, 1.78e9, "phone.example.org")
        last_second(path)

    return Decoder(make, decode, (TlsError,))


def _rules() -> Decoder:
    errors = (outbound.OutboundError,)
    return toml_files([RULES], outbound.load_rules, errors)


def _campaigns() -> Decoder:
    def read(path: Path) -> None:
        campaign = outbound.load_campaign(path)
        assert outbound.campaign_of(outbound.spec_of(campaign)).numbers == campaign.numbers

    return toml_files([CAMPAIGN], read, (outbound.OutboundError,))


def _dial_lists() -> Decoder:
    file = InMemory()
    good = [NUMBERS, "+14155552671\n+442079460000\n", "\ufeffnumber\r\n+14155552671\r\n"]

    def decode(data: bytes) -> None:
        problems: list[str] = []
        listed = list(outbound._listed(file.holding(data), problems, 1000))
        for line, text in listed:
            assert line > 0 and text.strip() == text

    return Decoder(
        lambda random: broken_text(random, random.choice(good), good).encode(errors="replace"),
        decode,
    )


def _personas() -> Decoder:
    texts = [path.read_text(encoding="utf-8") for path in sorted(persona.FOLDER.glob("*.toml"))]

    def read(path: Path) -> None:
        _, found = persona.load(str(path))
        drawn = found.drawn(1)
        if (rule := drawn.rule("Hello, how may I help you?")) is not None:
            drawn.use(rule)
            list(map(drawn.filled, rule.say))

    return toml_files(texts[:4], read, (persona.PersonaError,))


def _experiments() -> Decoder:
    def read(path: Path) -> None:
        rule, found = experiments._of_file(path)
        if not experiments._problems(rule, found):
            experiments.assign(found, "CA1")

    return toml_files([EXPERIMENT], read, (experiments.SelectionError,))


def _selections() -> Decoder:
    good = ["current", "current=80,global.anthropic.claude-haiku-5-5=20"]

    def decode(text: str) -> Any:
        return experiments.parse(text) if not text.strip().endswith(".toml") else None

    return Decoder(
        lambda random: broken_text(random, random.choice(good), good),
        decode,
        (experiments.SelectionError,),
    )


DECODERS: Final[dict[str, Callable[[], Decoder]]] = {
    "settings": _settings,
    "certificates": _certificates,
    "dial_rules": _rules,
    "campaigns": _campaigns,
    "dial_lists": _dial_lists,
    "personas": _personas,
    "experiments": _experiments,
    "selections": _selections,
}
