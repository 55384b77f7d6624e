"""Each weakness is named in words, with what to do; on a machine's own loopback there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from aybiza.config.settings import load
from aybiza.console.weaknesses import weaknesses
from tests.gateway.admission.certificates import certificate

PUBLIC = {"AYBIZA_PUBLIC_URL": "https://phone.example.org"}
ANYWHERE = {"AYBIZA_BIND": "0.0.0.0"}
TOKEN = {"TWILIO_AUTH_TOKEN": "s3cret-auth-token"}
REDIS = "rediss://:s3cret@cache:6379/0"
GOOD = {**PUBLIC, **TOKEN, "AYBIZA_TRUSTED_PROXIES": "127.0.0.1/32"}


def wrong(folder: Path, **environment: str) -> dict[str, str]:
    """What is said of the parts that will not do."""
    settings = load({"AYBIZA_COOKIE_FILE": str(folder / "cookie"), **environment})
    found = weaknesses(settings)
    assert "s3cret" not in repr(found)
    return {part: says for part, ok, says in found if not ok}


def test_where_nobody_else_gets_nothing_is_wrong(tmp_path: Path) -> None:
    assert wrong(tmp_path) == {}


def test_a_guarded_node_behind_a_named_proxy_has_no_weakness(tmp_path: Path) -> None:
    assert wrong(tmp_path, **GOOD) == {}


def test_a_node_with_a_certificate_of_its_own_has_none_either(tmp_path: Path) -> None:
    made, key = certificate(tmp_path)
    files = {"AYBIZA_TLS_CERTIFICATE": str(made), "AYBIZA_TLS_KEY": str(key)}
    assert wrong(tmp_path, **ANYWHERE, **TOKEN, **files) == {}
    key.chmod(0o644)
    assert "chmod 600" in wrong(tmp_path, **ANYWHERE, **TOKEN, **files)["doors: TLS"]
    made.write_text("nothing")
    assert "holds no certificate" in wrong(tmp_path, **ANYWHERE, **TOKEN, **files)["doors: TLS"]


@pytest.mark.parametrize(
    ("environment", "part", "says"),
    [
        (ANYWHERE, "doors: signatures", "set TWILIO_AUTH_TOKEN"),
        (PUBLIC, "doors: signatures", "set TWILIO_AUTH_TOKEN"),
        (ANYWHERE, "doors: TLS", "set AYBIZA_TLS_CERTIFICATE"),
        ({"AYBIZA_PUBLIC_URL": "http://a.example"}, "doors: TLS", "make it https"),
        (PUBLIC, "doors: proxies", "set AYBIZA_TRUSTED_PROXIES"),
        ({"AYBIZA_TRUSTED_PROXIES": "0.0.0.0/0"}, "doors: proxies", "whoever comes from 0.0.0.0/0"),
        ({"AYBIZA_TRUSTED_PROXIES": "::/0"}, "doors: proxies", "whoever comes from ::/0"),
        ({**GOOD, "AYBIZA_RATE_LIMIT": "0"}, "doors: rate limit", "unset AYBIZA_RATE_LIMIT"),
        ({"AYBIZA_CONSOLE_TOKEN": "s3cret"}, "doors: console", "can be guessed"),
        ({**GOOD, "AYBIZA_CARRIERS": "twilio,telnyx"}, "doors: carriers", "webhooks of telnyx"),
        ({"AYBIZA_SWITCHES": "0.0.0.0/0"}, "doors: switches", "name the switches alone"),
        ({**GOOD, "AYBIZA_CARRIERS": "freeswitch"}, "doors: switches", "name them in AYBIZA_SWI"),
        ({**GOOD, "AYBIZA_AUDIOSOCKET_PORT": "0"}, "doors: switches", "name them in AYBIZA_SWI"),
        ({"AYBIZA_ALLOW_FAULTS": "true"}, "faults", "unset AYBIZA_ALLOW_FAULTS"),
        ({"REDIS_URL": "redis://cache:6379"}, "Redis", "has no password"),
        ({"REDIS_URL": "redis://:s3cret@cache:6379"}, "Redis", "use rediss:"),
        ({"REDIS_URL": f"{REDIS}?ssl_cert_reqs=none"}, "Redis", "not checked"),
        ({"REDIS_URL": f"{REDIS}?ssl_check_hostname=False"}, "Redis", "not checked"),
        ({"REDIS_URL": f"{REDIS}?ssl_ca_certs=/dev/null"}, "Redis", "holds no certificate"),
        ({"REDIS_URL": f"{REDIS}?ssl_ca_certs=/none.pem"}, "Redis", "holds no certificate"),
    ],
)
def test_each_weakness_is_said_with_what_to_do(
    tmp_path: Path, environment: dict[str, str], part: str, says: str
) -> None:
    assert says in wrong(tmp_path, **environment)[part]


@pytest.mark.parametrize(
    "url", ["rediss://:s3cret@cache:6379", "unix:///run/redis.sock", "redis://127.0.0.1"]
)
def test_a_redis_that_strangers_cannot_use_will_do(tmp_path: Path, url: str) -> None:
    assert wrong(tmp_path, REDIS_URL=url) == {}


def test_a_cookie_that_others_may_read_is_a_weakness(tmp_path: Path) -> None:
    (tmp_path / "cookie").write_text("a-cookie-of-the-cluster")
    (tmp_path / "cookie").chmod(0o644)
    assert "chmod 600" in wrong(tmp_path)["cluster cookie"]
    (tmp_path / "cookie").chmod(0o600)
    assert wrong(tmp_path) == {}
