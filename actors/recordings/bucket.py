"""Bucket: recordings in an S3-compatible bucket. For threads: all of it waits for the network.

    bucket = Bucket(where)                     `where`: as the settings name it
    bucket.put(path)                           a file of a `Shelf`; again it is the same object
    bucket.parts("CA1")                        the names of a call's objects, in order of time
    bucket.get(name)                           the bytes of one, in chunks
    bucket.forget(["CA1"]), bucket.sweep(now)  how many objects are gone
    bucket.delete(name)                        one of them
    bucket.others(["CA1"])                     the names of all other calls' objects

An object has the name of the file on the shelf, behind the prefix: so it says whose it is and when
it is to be deleted, and a sealed recording is sealed in the bucket too. One `PutObject` takes 5 GB,
which is 87 hours of a call. The bucket encrypts as the settings say. Checksums that only newer
services know are left out.

A request is sent once and has `CONNECT_SECONDS` and `READ_SECONDS` at a time, in all
`OPERATION_SECONDS` and what its bytes take at `SLOWEST_BYTES` a second: a bucket that drips keeps
no thread. Whoever asks decides what is tried again. An answer that S3 would not give, such as the
page of a proxy, is a failure.

Errors: `BucketError`, an `OSError` whose text is for people and names no secret; its `wait` is for
how many seconds the bucket asks to be left alone.

Source: Amazon S3 API reference: PutObject, GetObject, DeleteObject, ListObjectsV2.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from aybiza.actors.recordings.part_names import began, call_name, expires
from aybiza.config.asked_waits import asked_wait
from aybiza.config.aws_answers import bounded
from aybiza.config.aws_deadlines import Cuts
from aybiza.config.settings import Settings

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 30.0
OPERATION_SECONDS: Final = 60.0
SLOWEST_BYTES: Final = 128 * 1024
CHUNK_BYTES: Final = 64 * 1024
NO_ENCRYPTION: Final = "none"
KMS: Final = "aws:kms"
MOST_BYTES: Final = 1024**3
"""Of an answer: a recording of six hours, the longest call, has 700 MB."""


class BucketError(OSError):
    """The bucket has not done what was asked."""

    wait = 0.0


class Where(NamedTuple):
    """Which bucket, and how: `prefix` is empty or ends with a slash; `endpoint` empty: Amazon's;
    `encryption`: as S3 names it, or `NO_ENCRYPTION`; `key`: of KMS, empty: the bucket's."""

    name: str
    prefix: str
    region: str
    endpoint: str = ""
    encryption: str = "AES256"
    key: str = ""

    def __str__(self) -> str:
        return f"s3://{self.name}/{self.prefix}"


class Bucket:
    """See the module."""

    def __init__(self, where: Where) -> None:
        self.where = where
        self._building = threading.Lock()
        self._made: Any = None
        self._cuts = Cuts()

    def put(self, path: Path) -> None:
        """See the module."""
        where = self.where
        options: dict[str, Any] = {}
        if where.encryption != NO_ENCRYPTION:
            options["ServerSideEncryption"] = where.encryption
        if where.encryption == KMS and where.key:
            options["SSEKMSKeyId"] = where.key
        kind = "audio/wav" if path.suffix == ".wav" else "application/octet-stream"
        with path.open("rb") as file:
            key = where.prefix + path.name
            size = path.stat().st_size
            request = {"Key": key, "Body": file, "ContentType": kind, **options}
            answer = self._ask("put_object", size, **request)
        if not answer.get("ETag"):
            raise BucketError(f"{where} has answered put_object as no S3 does: without an ETag")

    def parts(self, call_id: str) -> list[str]:
        """See the module."""
        return sorted(self._names(f"{call_name(call_id)}."), key=lambda name: began(Path(name)))

    def get(self, name: str) -> Iterator[bytes]:
        """See the module."""
        answer = self._ask("get_object", Key=self.where.prefix + name)
        with closing(answer["Body"]) as body, self._failures("get_object"):
            yield from body.iter_chunks(CHUNK_BYTES)

    def forget(self, call_ids: Iterable[str]) -> int:
        """See the module."""
        names = [name for call_id in call_ids for name in self.parts(call_id)]
        return sum(self.delete(name) for name in names)

    def others(self, call_ids: Iterable[str]) -> list[str]:
        """See the module."""
        known = {call_name(call_id) for call_id in call_ids}
        return [name for name in self._names("") if name.split(".")[0] not in known]

    def sweep(self, now: float) -> int:
        """See the module."""
        due = [name for name in self._names("") if 0 < expires(Path(name)) <= now]
        return sum(self.delete(name) for name in due)

    def delete(self, name: str) -> int:
        """Delete one, if it is there."""
        self._ask("delete_object", Key=self.where.prefix + name)
        return 1

    def _names(self, beginning: str) -> Iterator[str]:
        """The names behind the prefix that begin so and are a recording's."""
        more: dict[str, Any] = {}
        while True:
            prefix = self.where.prefix + beginning
            answer = self._ask("list_objects_v2", Prefix=prefix, **more)
            if "Name" not in answer and "IsTruncated" not in answer:
                raise BucketError(f"{self.where} has answered list_objects_v2 as no S3 does")
            for found in answer.get("Contents", ()):
                name = str(found["Key"]).removeprefix(self.where.prefix)
                if "/" not in name and expires(Path(name)) >= 0:
                    yield name
            if not answer.get("IsTruncated"):
                return
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    def _ask(self, operation: str, size: int = 0, **request: Any) -> dict[str, Any]:
        seconds = OPERATION_SECONDS + size / SLOWEST_BYTES
        client = self._client()
        with self._cuts.within(seconds) as limit:
            try:
                with self._failures(operation):
                    call: Any = getattr(client, operation)
                    answer: dict[str, Any] = call(Bucket=self.where.name, **request)
                if not limit.over:
                    return answer
                # What is cut off looks like a whole answer where its head was still to come.
            except BucketError:
                if not limit.over:
                    raise
        raise BucketError(f"{self.where} has not done {operation} within {seconds:g} s")

    @contextmanager
    def _failures(self, operation: str) -> Iterator[None]:
        """What may go wrong with an operation as a `BucketError`."""
        # They take 15 MB, which a node without a bucket does not need for this.
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError
        from urllib3.exceptions import HTTPError

        try:
            yield
        except ClientError as refusal:
            told = refusal.response.get("Error", {})
            why = f"{told.get('Code', '')}: {told.get('Message', '')}"[:200]
            failure = BucketError(f"{self.where} has not done {operation}: {why}")
            failure.wait = asked_wait(refusal.response["ResponseMetadata"].get("HTTPHeaders", {}))
            raise failure from None
        except (BotoCoreError, HTTPError, ResponseParserError, ValueError) as broken:
            why = f"{type(broken).__name__}: {broken}"[:200]
            raise BucketError(f"{self.where} cannot be asked for {operation}: {why}") from None

    def _client(self) -> Any:
        # A client is not to be built by two threads at a time.
        with self._building:
            if self._made is None:
                import boto3
                from botocore.config import Config

                where = self.where
                config = Config(
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"total_max_attempts": 1, "mode": "standard"},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    s3={"addressing_style": "path" if where.endpoint else "auto"},
                )
                make: Any = boto3.Session().client
                endpoint = where.endpoint or None
                self._made = make(
                    "s3", region_name=where.region, endpoint_url=endpoint, config=config
                )
                bounded(self._made, MOST_BYTES)
                self._cuts.watch(self._made)
            return self._made


def bucket(settings: Settings) -> Bucket | None:
    """The one that the settings name, if they name one."""
    address = settings.recordings_bucket
    if address is None:
        return None
    name, _, prefix = address.removeprefix("s3://").partition("/")
    return Bucket(
        Where(
            name,
            f"{prefix.strip('/')}/" if prefix.strip("/") else "",
            settings.recordings_region or settings.aws_region,
            str(settings.recordings_endpoint or ""),
            settings.recordings_encryption,
            settings.recordings_kms_key or "",
        )
    )
