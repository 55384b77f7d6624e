"""Settings of Claude on Amazon Bedrock, and of the money that it may cost.

Source: environment configuration of the specification (000, section 1); model ids of Amazon
Bedrock, "Supported foundation models".
"""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_settings import NoDecode

from aybiza.config.fields import (
    AbsolutePath,
    AnyCase,
    CommaSeparated,
    GuardrailVersion,
    HttpUrl,
    ModelId,
    Region,
    Secret,
    Text,
    Usd,
    flag,
    money,
    number,
    secret,
    setting,
)
from aybiza.config.tables import GROUP

Embeddings = Annotated[str, StringConstraints(pattern=r"^(local|amazon\.titan-embed-text-v2:0)\Z")]


class ClaudeSettings(BaseModel):
    """Claude on Amazon Bedrock."""

    model_config = GROUP

    aws_access_key_id: Secret | None = secret(
        "AWS_ACCESS_KEY_ID", "Access key; unset: boto3 looks for credentials itself."
    )
    aws_secret_access_key: Secret | None = secret(
        "AWS_SECRET_ACCESS_KEY", "Secret of the access key."
    )
    aws_session_token: Secret | None = secret(
        "AWS_SESSION_TOKEN", "Session token of temporary credentials."
    )

    @property
    def aws_credentials(self) -> dict[str, str]:
        """The credentials that are set, by boto3's names; none where boto3 looks for its own."""
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        secrets = {name: getattr(self, name) for name in names}
        return {name: secret.get_secret_value() for name, secret in secrets.items() if secret}

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
    tools_file: AbsolutePath | None = setting(
        "AYBIZA_TOOLS_FILE",
        None,
        "an absolute path of a .toml file (~ is your home folder)",
        "Tools of your own, beside those of the clinic.",
    )
    selection: Text = setting(
        "AYBIZA_SELECTION",
        "current",
        "a rule such as current, arms such as current=80,spec-3x=20, or the path of a .toml file",
        "How the model of a turn is chosen; configured: always the first one.",
    )
    guardrail: GuardrailVersion | None = setting(
        "AYBIZA_GUARDRAIL",
        None,
        "the id or ARN of a guardrail, a colon, and DRAFT or its version's number",
        "Guardrail of Amazon Bedrock that looks at every answer.",
    )
    bedrock_pool_size: int = setting(
        "BEDROCK_POOL_SIZE",
        ...,
        "a whole number from 1 to 11000",
        "Connections to Bedrock: streams at a time; by default one for each call, and some more, "
        "because an answer that is cut short may not have let go of its own yet.",
        default_factory=lambda data: _streams(data.get("max_calls", 0)),
        ge=1,
        le=11_000,
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
        "COST_OPTIMIZATION_ENABLED",
        True,
        "Whether cheaper models get what is not hard.",
    )
    edge_cache_enabled: bool = flag(
        "EDGE_CACHE_ENABLED",
        True,
        "Whether a first question may be answered as it was lately.",
    )
    embeddings: Embeddings = setting(
        "AYBIZA_EMBEDDINGS",
        "amazon.titan-embed-text-v2:0",
        "amazon.titan-embed-text-v2:0 or local",
        "What tells whether two questions mean the same, for agents with similar_answers.",
    )
    cloudflare_region_mapping: bool = flag(
        "CLOUDFLARE_REGION_MAPPING", True, "Whether the caller's country chooses the region."
    )

    openai_api_key: Secret | None = secret(
        "OPENAI_API_KEY", "Key of the chat service that agents with a `last_model` ask last."
    )
    openai_base_url: HttpUrl = setting(
        "OPENAI_BASE_URL",
        "https://api.openai.com/v1",
        "an http or https URL",
        "Address of that service: OpenAI, or who speaks like it.",
    )

    @model_validator(mode="after")
    def _access_key_is_whole(self) -> Self:
        if (self.aws_access_key_id is None) != (self.aws_secret_access_key is None):
            raise ValueError(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: must be set both or neither"
            )
        return self

    @property
    def models(self) -> tuple[str, ...]:
        """The models that may be asked, the default one first."""
        first = self.aws_default_bedrock_model
        return (first, *(model for model in self.aws_bedrock_models if model != first))


def _streams(calls: int) -> int:
    return calls + max(2, calls // 10)


class MoneySettings(BaseModel):
    """Money."""

    model_config = GROUP

    quota_call_usd: Usd | None = money("AYBIZA_QUOTA_CALL_USD", "Most that one call may cost.")
    quota_call_ceiling_usd: Usd = setting(
        "AYBIZA_QUOTA_CALL_CEILING_USD",
        Decimal(5),
        "an amount in USD above 0, such as 2.50",
        "Most that one call may cost whatever the quotas do: the agent then ends it in words.",
    )
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
    quotas_file: AbsolutePath | None = setting(
        "AYBIZA_QUOTAS_FILE",
        None,
        "an absolute path of a .toml file (~ is your home folder)",
        "Quotas of single tenants, a call and a day.",
    )
    prices_file: AbsolutePath | None = setting(
        "AYBIZA_PRICES_FILE",
        None,
        "an absolute path of a .toml file (~ is your home folder)",
        "What speech services and carriers charge you, where it is not their list price.",
    )
