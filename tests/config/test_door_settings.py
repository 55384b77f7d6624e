"""Where a node listens, and what Twilio is told of it."""

import pytest

from aybiza.config.settings import Settings, SettingsError, load


def test_the_doors_have_their_fixed_numbers() -> None:
    settings = load({})
    assert (settings.http_port, settings.media_port, settings.cluster_port) == (3000, 8080, 1900)
    assert settings.bind == "127.0.0.1"


def test_the_two_ports_must_differ_unless_any_will_do() -> None:
    with pytest.raises(
        SettingsError, match="AYBIZA_HTTP_PORT and AYBIZA_MEDIA_PORT: both are 3000"
    ):
        load({"AYBIZA_MEDIA_PORT": "3000"})
    assert load({"AYBIZA_MEDIA_PORT": "0", "AYBIZA_HTTP_PORT": "0"}).media_port == 0


@pytest.mark.parametrize(
    ("url", "http", "media"),
    [
        ("https://a.example", "https://a.example", "wss://a.example"),
        ("wss://a.example/", "https://a.example", "wss://a.example"),
        ("http://a.example:81/x", "http://a.example:81/x", "ws://a.example:81/x"),
        ("ws://[::1]:81", "http://[::1]:81", "ws://[::1]:81"),
    ],
)
def test_the_public_url_serves_for_webhooks_and_for_media(url: str, http: str, media: str) -> None:
    settings = load({"AYBIZA_PUBLIC_URL": url})
    assert (settings.public_http_url, settings.public_media_url) == (http, media)


def test_without_a_public_url_there_is_none_to_tell() -> None:
    assert (Settings().public_http_url, Settings().public_media_url) == (None, None)


@pytest.mark.parametrize(
    ("environment", "local", "guarded"),
    [
        ({}, True, False),
        ({"AYBIZA_BIND": "127.0.0.7"}, True, False),
        ({"AYBIZA_PUBLIC_URL": "http://localhost:3000"}, True, False),
        ({"TWILIO_AUTH_TOKEN": "token"}, True, True),
        ({"AYBIZA_BIND": "0.0.0.0"}, False, True),
        ({"AYBIZA_BIND": "10.0.0.1", "AYBIZA_PUBLIC_URL": "http://127.0.0.1"}, False, True),
        ({"AYBIZA_PUBLIC_URL": "wss://phone.example.org"}, False, True),
    ],
)
def test_doors_are_guarded_where_others_reach_them_or_a_token_is_set(
    environment: dict[str, str], local: bool, guarded: bool
) -> None:
    settings = load(environment)
    assert (settings.is_local, settings.is_guarded) == (local, guarded)


@pytest.mark.parametrize("one", ["AYBIZA_TLS_CERTIFICATE", "AYBIZA_TLS_KEY"])
def test_a_certificate_and_its_key_come_together(one: str) -> None:
    with pytest.raises(SettingsError, match="set both or neither"):
        load({one: "/etc/tls/node.pem"})
    both = dict.fromkeys(("AYBIZA_TLS_CERTIFICATE", "AYBIZA_TLS_KEY"), "/etc/tls/node.pem")
    assert load(both).tls_key is not None


def test_networks_may_be_single_addresses() -> None:
    settings = load({"AYBIZA_TRUSTED_PROXIES": "127.0.0.1, 10.0.0.0/8,2001:db8::/32"})
    assert settings.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32")
