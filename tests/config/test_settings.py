"""What a node reads from its environment, and what it says when a value cannot be used."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aybiza.config.settings import (
    FIELDS,
    NAMES,
    Settings,
    SettingsError,
    UnknownSettingWarning,
    allowed,
    is_secret,
    load,
)

SPECIFICATION = {
    "AWS_ACCESS_KEY_ID": "your_aws_access_key_id",
    "AWS_SECRET_ACCESS_KEY": "your_aws_secret_access_key",
    "AWS_REGION": "us-east-1",
    "AWS_FALLBACK_REGION": "us-west-2",
    "AWS_BEDROCK_MODELS": (
        "anthropic.claude-3-7-sonnet-20250219-v1:0,anthropic.claude-3-5-sonnet-20241022-v2:0,"
        "anthropic.claude-3-5-haiku-20241022-v1:0,anthropic.claude-3-haiku-20240307-v1:0"
    ),
    "AWS_DEFAULT_BEDROCK_MODEL": "anthropic.claude-3-5-sonnet-20241022-v2:0",
    "LATENCY_THRESHOLD_MS": "200",
    "EXTENDED_THINKING_THRESHOLD": "0.9",
    "COST_OPTIMIZATION_ENABLED": "true",
    "EDGE_CACHE_ENABLED": "true",
    "CLOUDFLARE_REGION_MAPPING": "true",
    "BEDROCK_POOL_SIZE": "10",
    "BEDROCK_CONNECTION_TIMEOUT": "30000",
    "BEDROCK_REQUEST_TIMEOUT": "15000",
}

WRONG = {
    "AYBIZA_BIND": "everywhere",
    "AYBIZA_HTTP_PORT": "65536",
    "AYBIZA_MEDIA_PORT": "-1",
    "OPENAI_API_KEY": "two words",
    "OPENAI_BASE_URL": "api.openai.com",
    "ELEVENLABS_API_KEY": "two words",
    "ELEVENLABS_URL": "api.elevenlabs.io",
    "AYBIZA_CARRIERS": "twilio, carrier pigeon",
    "AYBIZA_STREAM_CODEC": "G722",
    "AYBIZA_RECORDINGS_BUCKET": "https://bucket.example.org",
    "AYBIZA_RECORDINGS_ENDPOINT": "minio:9000",
    "AYBIZA_RECORDINGS_REGION": "Frankfurt am Main",
    "AYBIZA_RECORDINGS_ENCRYPTION": "rot13",
    "AYBIZA_RECORDINGS_KMS_KEY": "two words",
    "AYBIZA_AUDIOSOCKET_PORT": "audio",
    "AYBIZA_PUBLIC_URL": "ftp://phone.example.org",
    "TWILIO_AUTH_TOKEN": "two words",
    "AYBIZA_TELNYX_PUBLIC_KEY": "AAAA",
    "AYBIZA_SIGNALWIRE_SIGNING_KEY": "two words",
    "TWILIO_ACCOUNT_SID": "AC12",
    "AYBIZA_TWILIO_API": "api.twilio.com",
    "AYBIZA_TELNYX_API_KEY": "two words",
    "AYBIZA_TELNYX_API": "api.telnyx.com",
    "AYBIZA_SIGNALWIRE_API": "example.signalwire.com",
    "AYBIZA_SIGNALWIRE_PROJECT": "../other",
    "AYBIZA_SIGNALWIRE_TOKEN": "two words",
    "AYBIZA_FREESWITCH_CONTROL": "127.0.0.1",
    "AYBIZA_FREESWITCH_PASSWORD": "two words",
    "AYBIZA_ASTERISK_CONTROL": "127.0.0.1:65536",
    "AYBIZA_ASTERISK_USER": "us er",
    "AYBIZA_ASTERISK_SECRET": "two words",
    "AYBIZA_TRUSTED_PROXIES": "10.0.0.0/8, proxy",
    "AYBIZA_SWITCHES": "10.0.0.0/8, 10.0.0.1/8",
    "AYBIZA_RATE_LIMIT": "-1",
    "AYBIZA_ACCOUNT_CALLS": "0",
    "AYBIZA_CALLER_CALLS": "-1",
    "AYBIZA_QUOTA_CALL_CEILING_USD": "0",
    "AYBIZA_MODEL_ROUNDS": "0",
    "AYBIZA_CALLER_MINUTES": "100001",
    "AYBIZA_CONSOLE_TOKEN": "two words",
    "AYBIZA_TLS_CERTIFICATE": "tls.crt",
    "AYBIZA_TLS_KEY": "tls.key",
    "AYBIZA_NODE_NAME": "node@host",
    "AYBIZA_CLUSTER_PORT": "0",
    "AYBIZA_CLUSTER_BIND": "0.0.0.0",
    "AYBIZA_CLUSTER_CARRIER": "pigeon",
    "AYBIZA_CLUSTER_CERTIFICATE": "cert.pem",
    "AYBIZA_CLUSTER_KEY": "key.pem",
    "AYBIZA_CLUSTER_AUTHORITY": "ca.pem",
    "AYBIZA_JOIN": "10.0.0.1:1900, 10.0.0.2",
    "AYBIZA_COOKIE_FILE": "cookie",
    "AYBIZA_MAX_CALLS": "0",
    "AYBIZA_ISOLATION": "thread",
    "AYBIZA_ISOLATED_CALLS": "65",
    "AYBIZA_ALLOW_FAULTS": "maybe",
    "AYBIZA_EMULATED": "perhaps",
    "AYBIZA_ONE_CALL": "perhaps",
    "AYBIZA_MAX_LOOP_LAG_MS": "9",
    "AYBIZA_MAX_MEMORY_MB": "0",
    "AYBIZA_DRAIN_SECONDS": "-1",
    "AYBIZA_MAILBOX_ALARM": "9",
    "XDG_STATE_HOME": "state",
    "AYBIZA_MEMORY_PATH": "memory.sqlite3",
    "AYBIZA_MEMORY": "sqlite+mongo",
    "AYBIZA_RETENTION_DAYS": "-1",
    "AYBIZA_DYNAMODB_TABLE": "no spaces",
    "AWS_ENDPOINT_URL_DYNAMODB": "localhost:8000",
    "REDIS_URL": "http://localhost:6379",
    "AYBIZA_MAX_CALL_SECONDS": "5",
    "AYBIZA_SILENCE_TIMEOUT_SECONDS": "0",
    "AYBIZA_LOST_AFTER_FAILURES": "-1",
    "AYBIZA_LOST_WITHIN_SECONDS": "0",
    "AYBIZA_TURN_DEADLINE_MS": "soon",
    "AWS_ACCESS_KEY_ID": "two words",
    "AWS_SECRET_ACCESS_KEY": "two words",
    "AWS_SESSION_TOKEN": "two words",
    "AWS_REGION": "Virginia",
    "AWS_FALLBACK_REGION": "us_west_2",
    "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "127.0.0.1:9000",
    "AWS_BEDROCK_MODELS": "anthropic.claude-haiku-4-5-20251001-v1:0, not a model",
    "AWS_DEFAULT_BEDROCK_MODEL": "claude",
    "AYBIZA_MODELS_FILE": "models.toml",
    "AYBIZA_ROUTES_FILE": "routes.toml",
    "AYBIZA_TOOLS_FILE": "tools.toml",
    "AYBIZA_GUARDRAIL": "abc123",
    "BEDROCK_POOL_SIZE": "1.5",
    "BEDROCK_CONNECTION_TIMEOUT": "0",
    "BEDROCK_REQUEST_TIMEOUT": "15s",
    "LATENCY_THRESHOLD_MS": "0",
    "EXTENDED_THINKING_THRESHOLD": "nan",
    "COST_OPTIMIZATION_ENABLED": "perhaps",
    "EDGE_CACHE_ENABLED": "2",
    "AYBIZA_EMBEDDINGS": "word2vec",
    "CLOUDFLARE_REGION_MAPPING": "eu",
    "AYBIZA_QUOTA_CALL_USD": "0",
    "AYBIZA_QUOTA_TENANT_DAY_USD": "1.0000001",
    "AYBIZA_QUOTA_DAY_USD": "much",
    "AYBIZA_QUOTA_ACTION": "hang up",
    "AYBIZA_QUOTAS_FILE": "quotas.toml",
    "AYBIZA_PRICES_FILE": "prices.toml",
    "AYBIZA_RECORDS_DAYS": "0",
    "AYBIZA_EVENTS_FILE": "events.jsonl",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318",
    "OTEL_METRIC_EXPORT_INTERVAL": "0",
    "OTEL_EXPORTER_OTLP_HEADERS": "two words",
    "AYBIZA_POSTGRES_URL": "two words",
    "AYBIZA_OUTBOUND_FILE": "outbound.toml",
    "AYBIZA_RECORDINGS": "calls",
    "AYBIZA_RECORDINGS_KEY": "0123456789abcdef",
    "DEEPGRAM_URL": "https://api.example.org",
    "DEEPGRAM_API_KEY": "two words",
    "AYBIZA_LOG_LEVEL": "loud",
    "AYBIZA_LOG_FORMAT": "xml",
    "AYBIZA_KEEP_PHRASES": "some of them",
    "AYBIZA_LOG_TRANSCRIPTS": "sometimes",
    "AYBIZA_CLOUDWATCH_NAMESPACE": "AWS/Bedrock",
}
FREE = {"AYBIZA_AGENT", "AYBIZA_SELECTION"}


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load({}) == Settings()


def test_settings_made_by_hand_do_not_look_at_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AYBIZA_HTTP_PORT", "4000")
    assert Settings().http_port == 3000
    assert load().http_port == 4000


def test_every_variable_of_the_specification_is_read() -> None:
    settings = load(SPECIFICATION)
    assert {NAMES[name] for name in SPECIFICATION} == settings.model_fields_set
    assert settings.aws_bedrock_models == tuple(SPECIFICATION["AWS_BEDROCK_MODELS"].split(","))
    assert settings.bedrock_connection_timeout == 30_000
    assert settings.extended_thinking_threshold == 0.9
    assert settings.cost_optimization_enabled is True
    assert settings.aws_secret_access_key is not None
    assert settings.aws_secret_access_key.get_secret_value() == "your_aws_secret_access_key"


@pytest.mark.parametrize("empty", ["", " ", "\t\n"])
def test_an_empty_variable_is_unset(empty: str) -> None:
    assert load(dict.fromkeys(FIELDS, empty)) == Settings()


def test_blanks_around_a_value_do_not_matter() -> None:
    settings = load({"AYBIZA_HTTP_PORT": " 80 ", "DEEPGRAM_API_KEY": "key\n"})
    assert settings.http_port == 80
    assert settings.deepgram_api_key is not None
    assert settings.deepgram_api_key.get_secret_value() == "key"


def test_a_wrong_value_is_here_for_every_setting_that_can_have_one() -> None:
    assert set(WRONG) | FREE == set(FIELDS)


@pytest.mark.parametrize(("variable", "value"), WRONG.items())
def test_a_wrong_value_names_variable_value_and_what_is_allowed(variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({variable: value})
    (problem,) = caught.value.problems
    shown = "(hidden)" if is_secret(variable) else repr(value.rpartition(", ")[2])
    assert problem == f"{variable}={shown}: must be {allowed(variable)}"


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        load(WRONG)
    assert {problem.split("=")[0] for problem in caught.value.problems} == set(WRONG)
    assert str(caught.value) == "\n".join(caught.value.problems)


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(SettingsError) as caught:
        load({"AYBIZA_HTTP_PORT": "9" * 10_000})
    assert len(str(caught.value)) < 200


def test_no_secret_is_ever_shown() -> None:
    secrets = {name: f"s3cret{number}" for number, name in enumerate(FIELDS) if is_secret(name)}
    secrets["AYBIZA_RECORDINGS_KEY"] = "53c3e7" + "0" * 58
    assert set(secrets) == {
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "DEEPGRAM_API_KEY",
        "OPENAI_API_KEY",
        "ELEVENLABS_API_KEY",
        "TWILIO_AUTH_TOKEN",
        "AYBIZA_CONSOLE_TOKEN",
        "AYBIZA_SIGNALWIRE_SIGNING_KEY",
        "AYBIZA_SIGNALWIRE_TOKEN",
        "AYBIZA_TELNYX_API_KEY",
        "AYBIZA_FREESWITCH_PASSWORD",
        "AYBIZA_ASTERISK_SECRET",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "AYBIZA_POSTGRES_URL",
        "AYBIZA_RECORDINGS_KEY",
    }
    settings = load(secrets | {"REDIS_URL": "redis://user:s3cret@host"})
    assert "s3cret" not in repr(settings)
    assert "53c3e7" not in repr(settings)
    with pytest.raises(SettingsError) as caught:
        load({name: f"{value} {value}" for name, value in secrets.items()})
    assert "s3cret" not in str(caught.value)
    with pytest.raises(SettingsError) as caught:
        load({"REDIS_URL": "http://user:s3cret@host"})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("AYBIZA_HTTP_PROT", "AYBIZA_HTTP_PORT"),
        ("AYBIZA_MEMORYPATH", "AYBIZA_MEMORY_PATH"),
        ("AYBIZA_REDIS_URL", "REDIS_URL"),
        ("TWILIO_AUTH_TOKN", "TWILIO_AUTH_TOKEN"),
        ("DEEPGRAM_KEY", "DEEPGRAM_API_KEY"),
        ("COST_OPTIMISATION_ENABLED", "COST_OPTIMIZATION_ENABLED"),
    ],
)
def test_a_misspelled_variable_is_named_with_the_nearest_known_one(name: str, near: str) -> None:
    with pytest.warns(UnknownSettingWarning, match=f"{name} is not a setting; did you mean {near}"):
        assert load({name: "1"}) == Settings()


def test_variables_of_other_programs_are_left_alone() -> None:
    assert load({"PATH": "/bin", "HOME": "/root", "http_port": "1", "agent": "x"}) == Settings()
    others = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "AWS_REGIONS", "TWILIO_API_KEY", "REDIS_HOST")
    assert load(dict.fromkeys(others, "x")) == Settings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Settings().http_port = 1


def test_a_misspelled_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"http_prot": 1})


def test_settings_travel_to_another_process() -> None:
    settings = load(SPECIFICATION)
    assert pickle.loads(pickle.dumps(settings)) == settings


@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=40)))
def test_any_environment_gives_settings_or_a_message(env: dict[str, str]) -> None:
    try:
        load(env)
    except SettingsError as error:
        assert error.problems


@pytest.mark.parametrize("value", ["set-me", "changeme", "<your-token>"])
@pytest.mark.parametrize("variable", [name for name in FIELDS if is_secret(name)])
def test_a_placeholder_of_a_shipped_file_is_refused_by_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{variable}=\(hidden\): is still the placeholder"):
        load({variable: value})


@pytest.mark.parametrize(
    "url",
    ["http://user:s3cret@host", "redis:user:s3cret@host", "user:s3cret@host", "http://s3cret@h"],
)
def test_a_url_that_cannot_be_used_is_named_without_its_password(url: str) -> None:
    for variable in ("REDIS_URL", "AYBIZA_PUBLIC_URL", "DEEPGRAM_URL"):
        with pytest.raises(SettingsError, match=variable) as caught:
            load({variable: url.replace("http", "gopher", 1)})
        assert "s3cret" not in str(caught.value)


def test_the_stores_of_the_memory_are_named_with_plus_each_once() -> None:
    url = {"REDIS_URL": "redis://127.0.0.1"}
    assert load({}).memory == ("sqlite",)
    assert load({"AYBIZA_MEMORY": "Redis+DynamoDB", **url}).memory == ("redis", "dynamodb")
    for wrong in ("redis+redis", "+", "sqlite+", "sqlite memory"):
        with pytest.raises(SettingsError, match="AYBIZA_MEMORY"):
            load({"AYBIZA_MEMORY": wrong, **url})
    with pytest.raises(SettingsError, match="set REDIS_URL"):
        load({"AYBIZA_MEMORY": "redis"})


def test_a_wrong_part_of_a_list_is_told_once() -> None:
    with pytest.raises(SettingsError) as wrong:
        load({"AYBIZA_CARRIERS": "twilo"})
    (problem,) = wrong.value.problems
    assert problem.startswith("AYBIZA_CARRIERS='twilo': must be")
