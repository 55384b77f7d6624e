"""Settings of what a node keeps and exports of its calls: records, events, traces, the trail."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, SecretStr, StringConstraints, model_validator

from aybiza.config.fields import (
    AbsolutePath,
    HttpUrl,
    Secret,
    number,
    secret,
    setting,
)
from aybiza.config.tables import GROUP


def _key(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", value.get_secret_value()):
        raise ValueError("not 64 hexadecimal digits")
    return value


BucketAddress = Annotated[
    str,
    StringConstraints(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?\Z"),
]
BucketRegion = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{2,32}\Z")]
KmsKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:/_-]{1,2048}\Z")]
RecordingsKey = Annotated[Secret, AfterValidator(_key)]


class RecordSettings(BaseModel):
    """Records and sinks."""

    model_config = GROUP

    records_days: int = number(
        "AYBIZA_RECORDS_DAYS",
        90,
        1,
        3_650,
        "Days for which the figures of turns, costs and calls are kept, for `aybiza report`.",
    )
    recordings: AbsolutePath | None = setting(
        "AYBIZA_RECORDINGS",
        None,
        "an absolute path of a folder",
        "Folder for the recordings of agents that record; unset: none can be made.",
    )
    recordings_key: RecordingsKey | None = setting(
        "AYBIZA_RECORDINGS_KEY",
        None,
        "64 hexadecimal digits, such as `openssl rand -hex 32` prints",
        "Key with which recordings are sealed; unset: they are WAV files.",
        hidden=True,
    )
    recordings_bucket: BucketAddress | None = setting(
        "AYBIZA_RECORDINGS_BUCKET",
        None,
        "s3://BUCKET or s3://BUCKET/PREFIX",
        "Bucket that recordings are moved to from AYBIZA_RECORDINGS when they are whole.",
    )
    recordings_endpoint: HttpUrl | None = setting(
        "AYBIZA_RECORDINGS_ENDPOINT",
        None,
        "an http or https URL",
        "S3-compatible service that has the bucket; unset: Amazon S3.",
    )
    recordings_region: BucketRegion | None = setting(
        "AYBIZA_RECORDINGS_REGION",
        None,
        "a region such as eu-central-1",
        "Region of the bucket; unset: AWS_REGION.",
    )
    recordings_encryption: Literal["AES256", "aws:kms", "none"] = setting(
        "AYBIZA_RECORDINGS_ENCRYPTION",
        "AES256",
        "AES256, aws:kms or none",
        "How the bucket is asked to encrypt recordings; none: as it does by itself.",
    )
    recordings_kms_key: KmsKey | None = setting(
        "AYBIZA_RECORDINGS_KMS_KEY",
        None,
        "a key's id, ARN or alias",
        "Key of KMS for aws:kms; unset: the bucket's.",
    )
    events_file: AbsolutePath | None = setting(
        "AYBIZA_EVENTS_FILE",
        None,
        "an absolute path of a file",
        "File to which each event of the calls is written as a line of JSON; unset: to none.",
    )
    otlp_endpoint: HttpUrl | None = setting(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        None,
        "an http or https URL",
        "OpenTelemetry collector that gets a trace a call, such as http://127.0.0.1:4318.",
    )
    otlp_headers: Secret | None = secret(
        "OTEL_EXPORTER_OTLP_HEADERS", "Headers for it: name=value, separated by commas."
    )
    otlp_metrics_ms: int = number(
        "OTEL_METRIC_EXPORT_INTERVAL",
        60_000,
        1_000,
        3_600_000,
        "Milliseconds from one sending of the metrics to the collector to the next.",
    )
    postgres_url: Secret | None = secret(
        "AYBIZA_POSTGRES_URL",
        "PostgreSQL database that gets each event as a row: postgresql://user:password@host/name.",
    )

    @model_validator(mode="after")
    def _bucket_has_a_folder(self) -> Self:
        if self.recordings_bucket is not None and self.recordings is None:
            raise ValueError(
                "AYBIZA_RECORDINGS_BUCKET: recordings wait for it in a folder, set "
                "AYBIZA_RECORDINGS too"
            )
        return self
