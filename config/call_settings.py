"""Settings of a call: the agent and its limits, speech, what the log tells."""

from typing import Annotated, Literal

from pydantic import BaseModel

from aybiza.config.fields import (
    AbsolutePath,
    AnyCase,
    HttpUrl,
    MetricsNamespace,
    Secret,
    Text,
    WebsocketUrl,
    flag,
    number,
    secret,
    setting,
)
from aybiza.config.tables import GROUP


class CallSettings(BaseModel):
    """A call."""

    model_config = GROUP

    agent: Text = setting(
        "AYBIZA_AGENT",
        "clinic",
        "the name of an agent of this package or the path of a .toml file",
        "The agent that answers.",
    )
    routes_file: AbsolutePath | None = setting(
        "AYBIZA_ROUTES_FILE",
        None,
        "the absolute path of a .toml file",
        "Which agent answers which call, and for whom; unset: AYBIZA_AGENT answers all.",
    )
    max_call_seconds: int = number(
        "AYBIZA_MAX_CALL_SECONDS", 900, 10, 14_400, "Longest call, unless the agent says otherwise."
    )
    silence_timeout_seconds: int = number(
        "AYBIZA_SILENCE_TIMEOUT_SECONDS",
        10,
        1,
        600,
        "Silence of the caller after which the agent asks, unless the agent says otherwise.",
    )
    lost_after_failures: int = number(
        "AYBIZA_LOST_AFTER_FAILURES",
        5,
        0,
        1_000,
        "Failures of a provider, without a success, after which /readyz says 503; 0: never.",
    )
    lost_within_seconds: int = number(
        "AYBIZA_LOST_WITHIN_SECONDS",
        60,
        1,
        3_600,
        "Time within which those failures count.",
    )
    turn_deadline_ms: int = number(
        "AYBIZA_TURN_DEADLINE_MS", 20_000, 1_000, 120_000, "Longest time for one answer of a model."
    )
    model_rounds: int = number(
        "AYBIZA_MODEL_ROUNDS",
        12,
        1,
        100,
        "Most requests to a model for one turn of the caller, those with the results of tools"
        " included.",
    )


class SpeechSettings(BaseModel):
    """Speech by Deepgram."""

    model_config = GROUP

    deepgram_url: WebsocketUrl | None = setting(
        "DEEPGRAM_URL",
        None,
        "a ws or wss URL such as ws://127.0.0.1:9000",
        "Another server for listen and speak; unset: Deepgram itself.",
    )
    deepgram_api_key: Secret | None = secret("DEEPGRAM_API_KEY", "Deepgram's API key.")
    elevenlabs_api_key: Secret | None = secret(
        "ELEVENLABS_API_KEY", "ElevenLabs' API key, for agents with a voice of theirs."
    )
    elevenlabs_url: HttpUrl = setting(
        "ELEVENLABS_URL",
        "https://api.elevenlabs.io",
        "an http or https URL",
        "Address of ElevenLabs.",
    )
    keep_phrases: bool = flag(
        "AYBIZA_KEEP_PHRASES",
        True,
        "Whether the agent's fixed phrases are synthesised ahead of need, and kept on disk.",
    )


class LogSettings(BaseModel):
    """Logs, and metrics that are sent."""

    model_config = GROUP

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
    cloudwatch_namespace: MetricsNamespace | None = setting(
        "AYBIZA_CLOUDWATCH_NAMESPACE",
        None,
        "letters, digits and any of . _ / # -, at most 255, not beginning with AWS/",
        "Namespace of Amazon CloudWatch that performance is told to; unset: to none.",
    )
