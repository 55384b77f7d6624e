"""The proxies: they let calls and webhooks through, nothing else, and tell who has come."""

import os
import re
from pathlib import Path

import pytest

from aybiza.gateway.carriers.paths import CARRIERS, WHISPER
from tests.deploy.kit import run, seconds, text_of, tool

CADDY = text_of("caddy/Caddyfile")
NGINX = text_of("nginx/aybiza.conf")
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host")


def test_caddy_takes_its_file(tmp_path: Path) -> None:
    caddy = tool("caddy")
    version = [int(n) for n in re.findall(r"\d+", run(caddy, "version").stdout)[:2]]
    text = CADDY if version >= [2, 7] else re.sub(r".*stream_close_delay.*\n", "", CADDY)
    copy = tmp_path / "Caddyfile"
    copy.write_text(text)
    variables = {**os.environ, "AYBIZA_DOMAIN": "phone.example.org", "HOME": str(tmp_path)}
    checked = run(caddy, "validate", "--adapter", "caddyfile", "--config", str(copy), env=variables)
    assert checked.returncode == 0, checked.stderr
    assert run(caddy, "fmt", str(copy)).stdout == text


def test_nginx_takes_its_file(tmp_path: Path) -> None:
    nginx, openssl = tool("nginx"), tool("openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = (
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    )
    made = run(
        *(openssl, *request, "-days", "1", "-subj", "/CN=phone.example.org"),
        *("-keyout", str(key), "-out", str(certificate)),
    )
    assert made.returncode == 0, made.stderr
    text = re.sub(r"(ssl_certificate) \S+;", rf"\1 {certificate};", NGINX)
    text = re.sub(r"(ssl_certificate_key) \S+;", rf"\1 {key};", text)
    (tmp_path / "aybiza.conf").write_text(text)
    whole = tmp_path / "nginx.conf"
    whole.write_text(
        f"pid {tmp_path}/nginx.pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; include {tmp_path}/aybiza.conf; }}\n"
    )
    checked = run(nginx, "-t", "-p", str(tmp_path), "-c", str(whole))
    assert checked.returncode == 0, checked.stderr


def locations() -> dict[str, str]:
    """nginx's locations: what they match, and what stands in them."""
    return dict(re.findall(r"location (?:~ )?(\S+) \{\n(.*?)\n    \}", NGINX, re.S))


def serves(path: str) -> str:
    """To which upstream nginx gives a path; empty: to none."""
    found = ""
    for match, body in locations().items():
        hit = re.match(match, path) if match.startswith("^") else path.startswith(match)
        upstream = re.findall(r"proxy_pass http://(\w+);", body)
        if hit and upstream:
            found = upstream[0]
    return found


@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=lambda carrier: carrier.name)
def test_every_carrier_gets_through_to_its_door(carrier: object) -> None:
    path, webhook = getattr(carrier, "path"), getattr(carrier, "webhook")  # noqa: B009
    assert serves(path) == "aybiza_media"
    if webhook:
        assert serves(webhook) == serves(webhook + WHISPER) == "aybiza_http"


def test_a_webhook_that_meets_a_restarting_node_is_held_and_not_answered_with_an_error() -> None:
    webhooks = CADDY[CADDY.index("@webhooks") :]
    held = re.findall(r"lb_try_duration (\S+)", webhooks)[0]
    # A node that is killed is back within a second or two; Twilio waits for fifteen.
    assert 5 <= seconds(held) <= 10


@pytest.mark.parametrize("path", ["/", "/metrics", "/console", "/incoming/../metrics", "/status/x"])
def test_pages_of_the_operator_do_not(path: str) -> None:
    assert serves(path) == ""
    caddys = re.findall(r"path (.*)$", CADDY, re.M)
    patterns = " ".join(caddys).split()
    # Caddy matches the path of a request without its dots, as here none has to be.
    assert ".." in path or not any(
        re.fullmatch(pattern.replace("*", ".*"), path) for pattern in patterns if ".." not in path
    )


def test_who_has_come_is_told_and_not_taken_from_the_client() -> None:
    for body in locations().values():
        if "proxy_pass" in body:
            assert all(f"proxy_set_header {name} " in body for name in FORWARDED)
    assert "$proxy_add_x_forwarded_for" not in NGINX
    assert "trusted_proxies" not in CADDY


def test_a_websocket_is_upgraded_and_a_quiet_call_outlives_the_proxys_patience() -> None:
    media = locations()["/media"]
    assert "proxy_http_version 1.1;" in media
    assert "proxy_set_header Upgrade $http_upgrade;" in media
    for direction in ("read", "send"):
        span = re.findall(rf"proxy_{direction}_timeout (\S+);", media)[0]
        assert seconds(span) >= 60
    for direction in ("read", "write"):
        assert seconds(re.findall(rf"{direction}_timeout (\S+)", CADDY)[0]) >= 60


def test_a_reload_of_caddy_ends_no_call() -> None:
    assert re.search(r"stream_close_delay 6h", CADDY)
