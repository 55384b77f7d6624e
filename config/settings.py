"""Settings: everything that a node reads from its environment, checked once, then unchangeable.

`load()` reads the environment; `Settings(...)` itself never does, so that `Settings()` is the
defaults on any machine. A field has the name of its variable in lower case, without `AYBIZA_`.
An empty variable counts as unset. Secrets are `SecretStr`, and no message shows them.

Errors: `SettingsError` names each wrong variable, its value and what is allowed.
Warnings: `UnknownSettingWarning` for an `AYBIZA_` variable that does not exist.

Source: environment configuration of the specification (000, section 1); model ids of Amazon
Bedrock, "Supported foundation models"; Twilio, "Media Streams" and "Validating requests".
"""

import difflib
import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit, urlunsplit

from pydantic import Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from config.fields import (
    AbsolutePath,
    AnyCase,
    ClusterInterface,
    CommaSeparated,
    GuardrailVersion,
    HostPort,
    HttpUrl,
    Interface,
    ModelId,
    NodeName,
    PublicUrl,
    RedisUrl,
    Region,
    Secret,
    Text,
    Usd,
    WebsocketUrl,
    flag,
    host_name,
    money,
    number,
    secret,
    setting,
    state_home,
)
from config.redact import HIDDEN, hide_url_password

PREFIX = "AYBIZA_"
SHOWN_CHARACTERS = 80


class SettingsError(ValueError):
    """The environment holds values that cannot be used; the text says which and what is allowed.

    `problems` has one line for each of them.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class UnknownSettingWarning(UserWarning):
    """A variable begins with `AYBIZA_` and is none of the settings: probably a misspelling."""


class Settings(BaseSettings):
    """The settings of a node, frozen; the `description` of a field is its meaning, with units."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", case_sensitive=True, populate_by_name=True
    )

    # The doors of the node.
    bind: Interface = setting(
        "AYBIZA_BIND",
        "127.0.0.1",
        "an IP address of this machine, such as 127.0.0.1 or 0.0.0.0",
        "Interface on which all servers listen.",
    )
    http_port: int = number(
        "AYBIZA_HTTP_PORT", 3000, 0, 65535, "Port of webhooks, health and metrics; 0: any free one."
    )
    media_port: int = number(
        "AYBIZA_MEDIA_PORT", 8080, 0, 65535, "Port of the media websocket; 0: any free one."
    )
    public_url: PublicUrl | None = setting(
        "AYBIZA_PUBLIC_URL",
        None,
        "an https or wss URL without query, such as https://phone.example.org",
        "Base URL at which Twilio reaches this node; for TwiML and for signatures.",
    )
    twilio_auth_token: Secret | None = secret(
        "TWILIO_AUTH_TOKEN", "Twilio's auth token; with it, webhooks must be signed."
    )

    # The node.
    node_name: NodeName = setting(
        "AYBIZA_NODE_NAME",
        ...,
        "letters, digits, - and _, at most 63, beginning with a letter or digit",
        "Name of this node in the cluster; default: the machine's host name.",
        default_factory=host_name,
    )
    cluster_port: int = number(
        "AYBIZA_CLUSTER_PORT", 1900, 1, 65535, "Port of this machine's Thespian admin."
    )
    cluster_bind: ClusterInterface = setting(
        "AYBIZA_CLUSTER_BIND",
        "127.0.0.1",
        "the IPv4 address of one interface of this machine",
        "Interface of the actor system; other machines reach the nodes there.",
    )
    join: Annotated[tuple[HostPort, ...], NoDecode, CommaSeparated] = setting(
        "AYBIZA_JOIN",
        (),
        "host:port of other machines' actor systems, separated by commas",
        "Machines whose nodes form the cluster; one that lives is enough.",
    )
    max_calls: int = number("AYBIZA_MAX_CALLS", 100, 1, 10_000, "Calls at a time on this node.")
    mailbox_alarm: int = number(
        "AYBIZA_MAILBOX_ALARM",
        10_000,
        10,
        1_000_000,
        "Messages waiting for one process at which the log names it.",
    )
    state_home: AbsolutePath = setting(
        "XDG_STATE_HOME",
        ...,
        "an absolute path of a folder",
        "Folder of what programs keep between runs.",
        default_factory=state_home,
    )
    memory_path: AbsolutePath = setting(
        "AYBIZA_MEMORY_PATH",
        ...,
        "an absolute path of a file (~ is your home folder)",
        "SQLite file of the conversation memory.",
        default_factory=lambda data: (
            data.get("state_home", Path("/")) / "aybiza" / "memory.sqlite3"
        ),
    )
    cookie_file: AbsolutePath = setting(
        "AYBIZA_COOKIE_FILE",
        ...,
        "an absolute path of a file",
        "File with the cluster's cookie; made with mode 0600 if there is none.",
        default_factory=lambda data: data.get("state_home", Path("/")) / "aybiza" / "cookie",
    )
    redis_url: RedisUrl | None = setting(
        "REDIS_URL",
        None,
        "a URL such as redis://host:6379/0, rediss://… or unix://…",
        "Redis server of the shared conversation memory.",
        repr=False,
    )

    # A call.
    agent: Text = setting(
        "AYBIZA_AGENT",
        "clinic",
        "the name of an agent of this package or the path of a .toml file",
        "The agent that answers.",
    )
    max_call_seconds: int = number(
        "AYBIZA_MAX_CALL_SECONDS", 900, 10, 14_400, "Longest call, unless the agent says otherwise."
    )
    silence_timeout_seconds: int = number(
        "AYBIZA_SILENCE_TIMEOUT_SECONDS",
        30,
        1,
        600,
        "Silence of the caller after which the agent asks, unless the agent says otherwise.",
    )
    turn_deadline_ms: int = number(
        "AYBIZA_TURN_DEADLINE_MS", 20_000, 1_000, 120_000, "Longest time for one answer of a model."
    )

    # Claude on Amazon Bedrock.
    aws_access_key_id: Secret | None = secret(
        "AWS_ACCESS_KEY_ID", "Access key; unset: boto3 looks for credentials itself."
    )
    aws_secret_access_key: Secret | None = secret(
        "AWS_SECRET_ACCESS_KEY", "Secret of the access key."
    )
    aws_session_token: Secret | None = secret(
        "AWS_SESSION_TOKEN", "Session token of temporary credentials."
    )
    aws_region: Region = setting(
        "AWS_REGION", "us-east-1", "an AWS region such as us-east-1", "Region of the models."
    )
    aws_fallback_region: Region = setting(
        "AWS_FALLBACK_REGION",
        "us-west-2",
        "an AWS region such as us-west-2",
        "Region that is asked when the first one fails.",
    )
    aws_endpoint_url_bedrock_runtime: HttpUrl | None = setting(
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        None,
        "an http or https URL",
        "Another endpoint of Bedrock Runtime; unset: the region's own.",
    )
    aws_bedrock_models: Annotated[
        tuple[ModelId, ...], NoDecode, CommaSeparated, Field(min_length=1)
    ] = setting(
        "AWS_BEDROCK_MODELS",
        (
            "global.anthropic.claude-haiku-4-5-20251001-v1:0",
            "global.anthropic.claude-sonnet-4-6",
        ),
        "Bedrock model ids, inference profile ids or ARNs, separated by commas",
        "Models that may be asked.",
    )
    aws_default_bedrock_model: ModelId = setting(
        "AWS_DEFAULT_BEDROCK_MODEL",
        ...,
        "a Bedrock model id, an inference profile id or an ARN",
        "Model that is asked first; default: the first of AWS_BEDROCK_MODELS.",
        default_factory=lambda data: data.get("aws_bedrock_models", ("",))[0],
    )
    models_file: AbsolutePath | None = setting(
        "AYBIZA_MODELS_FILE",
        None,
        "an absolute path of a .toml file (~ is your home folder)",
        "Models of your own, and changes to those of the catalogue.",
    )
    selection: Text = setting(
        "AYBIZA_SELECTION",
        "configured",
        "a rule such as current, arms such as current=80,spec-3x=20, or the path of a .toml file",
        "How the model of a turn is chosen; configured: always the first one.",
    )
    guardrail: GuardrailVersion | None = setting(
        "AYBIZA_GUARDRAIL",
        None,
        "the id or ARN of a guardrail, a colon, and DRAFT or its version's number",
        "Guardrail of Amazon Bedrock that looks at every answer.",
    )
    bedrock_pool_size: int = number(
        "BEDROCK_POOL_SIZE", 10, 1, 1_000, "Connections to Bedrock: streams at a time."
    )
    bedrock_connection_timeout: int = number(
        "BEDROCK_CONNECTION_TIMEOUT", 2_000, 50, 60_000, "Longest time to connect, in ms."
    )
    bedrock_request_timeout: int = number(
        "BEDROCK_REQUEST_TIMEOUT",
        15_000,
        100,
        300_000,
        "Longest silence of Bedrock in an answer, in ms.",
    )
    latency_threshold_ms: int = number(
        "LATENCY_THRESHOLD_MS", 200, 1, 60_000, "Latency above which a faster model is preferred."
    )
    extended_thinking_threshold: float = number(
        "EXTENDED_THINKING_THRESHOLD", 0.9, 0, 1, "Complexity from which a model may think longer."
    )
    cost_optimization_enabled: bool = flag(
        "COST_OPTIMIZATION_ENABLED", True, "Whether cheaper models are preferred where they do."
    )
    edge_cache_enabled: bool = flag(
        "EDGE_CACHE_ENABLED", True, "Whether answers may come from the response cache."
    )
    cloudflare_region_mapping: bool = flag(
        "CLOUDFLARE_REGION_MAPPING", True, "Whether the caller's country chooses the region."
    )

    # Money.
    quota_call_usd: Usd | None = money("AYBIZA_QUOTA_CALL_USD", "Most that one call may cost.")
    quota_tenant_day_usd: Usd | None = money(
        "AYBIZA_QUOTA_TENANT_DAY_USD", "Most that the calls of a tenant may cost in a day (UTC)."
    )
    quota_day_usd: Usd | None = money(
        "AYBIZA_QUOTA_DAY_USD", "Most that all calls of this node may cost in a day (UTC)."
    )
    quota_action: Annotated[Literal["degrade", "refuse"], AnyCase] = setting(
        "AYBIZA_QUOTA_ACTION",
        "degrade",
        "one of degrade, refuse",
        "What a reached quota does: a cheaper model answers, or none does.",
    )

    # Speech by Deepgram.
    deepgram_url: WebsocketUrl | None = setting(
        "DEEPGRAM_URL",
        None,
        "a ws or wss URL such as ws://127.0.0.1:9000",
        "Another server for listen and speak; unset: Deepgram itself.",
    )
    deepgram_api_key: Secret | None = secret("DEEPGRAM_API_KEY", "Deepgram's API key.")

    # Logs.
    log_level: Annotated[Literal["debug", "info", "warning", "error", "critical"], AnyCase] = (
        setting(
            "AYBIZA_LOG_LEVEL",
            "info",
            "one of debug, info, warning, error, critical",
            "Least severity that is logged.",
        )
    )
    log_format: Annotated[Literal["json", "console"], AnyCase] = setting(
        "AYBIZA_LOG_FORMAT", "json", "one of json, console", "Form of a line of the log."
    )
    log_transcripts: bool = flag(
        "AYBIZA_LOG_TRANSCRIPTS", False, "Whether what is said on a call stands in the log."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is handed in: `load` is the one place that reads the environment."""
        return (init_settings,)

    @model_validator(mode="after")
    def _access_key_is_whole(self) -> Self:
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            raise ValueError(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: must be set both or neither"
            )
        return self

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.http_port == self.media_port != 0:
            raise ValueError(
                f"AYBIZA_HTTP_PORT and AYBIZA_MEDIA_PORT: both are {self.http_port}, must differ"
            )
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The models that may be asked, the default one first."""
        first = self.aws_default_bedrock_model
        return (first, *(model for model in self.aws_bedrock_models if model != first))

    @property
    def public_http_url(self) -> str | None:
        """Base of the webhooks as Twilio sees it, without a slash at the end; None if unknown."""
        return self._public({"ws": "http", "wss": "https"})

    @property
    def public_media_url(self) -> str | None:
        """Base of the media websocket as Twilio sees it, without `/media`; None if unknown."""
        return self._public({"http": "ws", "https": "wss"})

    def _public(self, schemes: Mapping[str, str]) -> str | None:
        if self.public_url is None:
            return None
        parts = urlsplit(self.public_url.rstrip("/"))
        return urlunsplit(parts._replace(scheme=schemes.get(parts.scheme, parts.scheme)))


def _variable(field: FieldInfo) -> str:
    return str(field.validation_alias)


FIELDS: Mapping[str, FieldInfo] = {
    _variable(field): field for field in Settings.model_fields.values()
}
"""The field of each environment variable, in the order of this file."""

NAMES: Mapping[str, str] = {_variable(field): name for name, field in Settings.model_fields.items()}
"""The field name of each environment variable."""


def load(env: Mapping[str, str] | None = None) -> Settings:
    """The settings that this environment gives (default: the process's own).

    Raises SettingsError if a value cannot be used. Warns with UnknownSettingWarning of a variable
    that begins with `AYBIZA_` and does not exist.
    """
    env = os.environ if env is None else env
    for name in sorted(set(env) - set(FIELDS)):
        if name.startswith(PREFIX):
            warnings.warn(_unknown(name), UnknownSettingWarning, stacklevel=2)
    source = EnvSettingsSource(Settings, case_sensitive=True)
    source.env_vars = {name: env[name].strip() for name in FIELDS if env.get(name, "").strip()}
    try:
        return Settings(**source())
    except ValidationError as error:
        raise SettingsError(list(dict.fromkeys(_problems(error)))) from None


def allowed(variable: str) -> str:
    """What a setting may hold, in words."""
    return str(_declared(variable)["allowed"])


def is_secret(variable: str) -> bool:
    """Whether the value of a setting must not be shown."""
    return bool(_declared(variable)["hidden"])


def _declared(variable: str) -> dict[str, Any]:
    return cast("dict[str, Any]", FIELDS[variable].json_schema_extra)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, FIELDS, n=1)
    return f"{name} is not a setting" + (f"; did you mean {near[0]}?" if near else "")


def _problems(error: ValidationError) -> Iterator[str]:
    for detail in error.errors():
        if detail["type"] == "default_factory_not_called":
            continue  # follows from another wrong value, which has its own line
        if not detail["loc"]:
            yield str(detail["ctx"]["error"])
            continue
        variable = str(detail["loc"][0])
        shown = HIDDEN if is_secret(variable) else _shown(detail["input"])
        yield f"{variable}={shown}: must be {allowed(variable)}"


def _shown(value: Any) -> str:
    text = hide_url_password(str(value))
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…")
