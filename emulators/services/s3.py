"""Amazon S3's PutObject, GetObject, DeleteObject and ListObjectsV2, for a bucket in memory.

Contract: `Buckets.made` names the buckets that there are; `objects` holds what was put, by bucket
and key. Requests have the bucket in their path. Every signature is computed anew over what has come
and compared: a header, a query or a body that was changed on the way is refused, and so are a
wrong secret, a time that is more than 15 minutes off, and a body that its hash does not fit. A
listing has at most `page` keys. `full`: what is put is answered with this error.

Errors: as S3's, in XML. Source: Amazon S3 API reference; "Authenticating Requests (Signature
Version 4)".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, quote, unquote
from xml.sax.saxutils import escape

from aybiza.emulators.bedrock.connection import HttpRequest
from aybiza.emulators.services.answer import Answer, Refused

ACCESS_KEY: Final = "AKIAEMULATEDS3"
SECRET: Final = "emulated-secret-of-s3"
_SCHEME = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/s3/"
    r"aws4_request, SignedHeaders=(?P<signed>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ENCRYPTIONS: Final = frozenset(("AES256", "aws:kms"))
_TIME: Final = "%Y%m%dT%H%M%SZ"
_SKEW: Final = timedelta(minutes=15)
_LONGEST_KEY: Final = 1024


class S3Refused(Refused):
    """An error as S3 writes it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, code, message)
        body = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
        self.answer = Answer(status, [("Content-Type", "application/xml")], body.encode())


@dataclass(frozen=True, slots=True)
class Stored:
    """An object. `encryption` and `kms_key`: how it was asked to be encrypted; empty: not."""

    body: bytes = field(repr=False)
    kind: str
    encryption: str
    kms_key: str


class Buckets:
    """See the module."""

    def __init__(self) -> None:
        self.made: set[str] = set()
        self.objects: dict[str, dict[str, Stored]] = defaultdict(dict)
        self.full: tuple[int, str] | None = None
        self.page = 1000

    async def serve(self, request: HttpRequest) -> Answer:
        """One request."""
        _check(request)
        bucket, _, key = unquote(request.target.path.lstrip("/")).partition("/")
        if not _BUCKET.fullmatch(bucket):
            raise S3Refused(400, "InvalidBucketName", "The specified bucket is not valid.")
        if bucket not in self.made:
            raise S3Refused(404, "NoSuchBucket", "The specified bucket does not exist")
        if len(key.encode()) > _LONGEST_KEY:
            raise S3Refused(400, "KeyTooLongError", "Your key is too long")
        match request.method, bool(key):
            case "PUT", True:
                return self._put(request, bucket, key)
            case "GET", True:
                return self._get(bucket, key)
            case "DELETE", True:
                self.objects[bucket].pop(key, None)
                return Answer(204, [], b"")
            case "GET", False:
                return self._list(request, bucket)
        raise S3Refused(405, "MethodNotAllowed", "The method is not allowed here.")

    def _put(self, request: HttpRequest, bucket: str, key: str) -> Answer:
        if self.full is not None:
            raise S3Refused(*self.full, "No more is taken.")
        headers = request.headers
        encryption = headers.get("x-amz-server-side-encryption", "")
        kms_key = headers.get("x-amz-server-side-encryption-aws-kms-key-id", "")
        if (encryption and encryption not in _ENCRYPTIONS) or (kms_key and "kms" not in encryption):
            raise S3Refused(400, "InvalidArgument", "The encryption method is not supported")
        digest = headers.get("content-md5")
        # S3 asks for it where an object is to be locked; what is sent has to be right.
        if digest and base64.b64encode(_md5(request.body)).decode() != digest:
            raise S3Refused(400, "BadDigest", "The Content-MD5 you specified did not match")
        kind = headers.get("content-type", "binary/octet-stream")
        self.objects[bucket][key] = Stored(request.body, kind, encryption, kms_key)
        return Answer(200, [("ETag", f'"{_md5(request.body).hex()}"')], b"")

    def _get(self, bucket: str, key: str) -> Answer:
        stored = self.objects[bucket].get(key)
        if stored is None:
            raise S3Refused(404, "NoSuchKey", "The specified key does not exist.")
        return Answer(200, [("Content-Type", stored.kind)], stored.body)

    def _list(self, request: HttpRequest, bucket: str) -> Answer:
        query = {name: values[0] for name, values in parse_qs(request.target.query).items()}
        if query.get("list-type") != "2":
            raise S3Refused(501, "NotImplemented", "Only ListObjectsV2 is here.")
        prefix, behind = query.get("prefix", ""), query.get("continuation-token", "")
        keys = sorted(key for key in self.objects[bucket] if key.startswith(prefix))
        left = [key for key in keys if key > behind]
        page = left[: self.page]
        wants_url = query.get("encoding-type") == "url"
        rows = "".join(
            f"<Contents><Key>{escape(quote(key) if wants_url else key)}</Key>"
            f"<Size>{len(self.objects[bucket][key].body)}</Size></Contents>"
            for key in page
        )
        more = len(left) > len(page)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        form = "<EncodingType>url</EncodingType>" if wants_url else ""
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>{form}"
            f"<KeyCount>{len(page)}</KeyCount><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{rows}</ListBucketResult>"
        )
        return Answer(200, [("Content-Type", "application/xml")], body.encode())


def is_s3(request: HttpRequest) -> bool:
    """Whether a request is signed for S3."""
    return "/s3/aws4_request" in request.headers.get("authorization", "")


def _check(request: HttpRequest) -> None:
    """Refuse what is not signed, or not as it was sent."""
    headers = request.headers
    given = _SCHEME.fullmatch(headers.get("authorization", ""))
    if given is None:
        raise S3Refused(403, "AccessDenied", "Access Denied")
    if given["key"] != ACCESS_KEY:
        raise S3Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id does not exist.")
    stamp, hashed = headers.get("x-amz-date", ""), headers.get("x-amz-content-sha256", "")
    needed = {"host", "x-amz-date", "x-amz-content-sha256"}
    needed |= {name for name in headers if name.startswith("x-amz-")}
    if not needed <= set(given["signed"].split(";")):
        raise S3Refused(403, "AccessDenied", "There were headers present that were not signed")
    if abs(datetime.now(UTC) - _time(stamp)) > _SKEW or not stamp.startswith(given["day"]):
        raise S3Refused(403, "RequestTimeTooSkewed", "The difference is too large.")
    if hashed != hashlib.sha256(request.body).hexdigest():
        raise S3Refused(400, "XAmzContentSHA256Mismatch", "The SHA256 does not match.")
    scope = f"{given['day']}/{given['region']}/s3/aws4_request"
    canonical = _canonical(request, given["signed"].split(";"), hashed)
    said = "\n".join(
        ["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()]
    )
    key = f"AWS4{SECRET}".encode()
    for part in (*scope.split("/"), said):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(key.hex(), given["signature"]):
        raise S3Refused(403, "SignatureDoesNotMatch", "The request signature does not match.")


def _canonical(request: HttpRequest, signed: list[str], hashed: str) -> str:
    """What was signed, as the recommendation builds it from a request."""
    pairs = sorted(pair.partition("=")[::2] for pair in request.target.query.split("&") if pair)
    lines = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in signed)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    path = request.target.path or "/"
    return "\n".join([request.method, path, query, lines, ";".join(signed), hashed])


def _time(stamp: str) -> datetime:
    try:
        return datetime.strptime(stamp, _TIME).replace(tzinfo=UTC)
    except ValueError:
        raise S3Refused(403, "AccessDenied", "x-amz-date is no time.") from None


def _md5(data: bytes) -> bytes:
    digest: Any = hashlib.md5(data, usedforsecurity=False)
    return bytes(digest.digest())
