"""The emulated S3 is strict: signatures are computed anew, and what it does not know is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.s3 import ACCESS_KEY, SECRET
from tests.actors.recordings.bucket_kit import NAME, emulated


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServicesEmulator]:
    with emulated(monkeypatch) as made:
        yield made


def signed(services: ServicesEmulator, method: str, path: str, body: bytes) -> tuple[str, Any]:
    request = AWSRequest(method=method, url=services.url + path, data=body)
    S3SigV4Auth(Credentials(ACCESS_KEY, SECRET), "s3", "eu-central-1").add_auth(request)
    return services.url + path, dict(request.headers)


def asked(method: str, url: str, headers: Any, body: bytes) -> tuple[int, str]:
    with httpx.Client(trust_env=False) as client:
        answer = client.request(method, url, headers=headers, content=body)
    return answer.status_code, answer.text


def test_a_body_a_path_or_a_header_that_was_changed_is_refused(services: ServicesEmulator) -> None:
    url, headers = signed(services, "PUT", f"/{NAME}/a", b"sound")
    assert asked("PUT", url, headers, b"sound")[0] == 200
    status, told = asked("PUT", url, headers, b"other")
    assert (status, "XAmzContentSHA256Mismatch" in told) == (400, True)
    status, told = asked("PUT", url.replace("/a", "/b"), headers, b"sound")
    assert (status, "SignatureDoesNotMatch" in told) == (403, True)
    old = {**headers, "X-Amz-Date": "20200101T000000Z"}
    assert "RequestTimeTooSkewed" in asked("PUT", url, old, b"sound")[1]
    more = {**headers, "x-amz-acl": "public-read"}
    assert "not signed" in asked("PUT", url, more, b"sound")[1]
    assert list(services.buckets.objects[NAME]) == ["a"]


def test_what_boto3_asks_is_answered_or_refused_as_s3_does(services: ServicesEmulator) -> None:
    make: Any = boto3.client
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    client = make("s3", region_name="us-east-1", endpoint_url=services.url, config=config)
    client.put_object(Bucket=NAME, Key="a b/ü&.wav", Body=b"1", ServerSideEncryption="AES256")
    assert client.get_object(Bucket=NAME, Key="a b/ü&.wav")["Body"].read() == b"1"
    listed = client.list_objects_v2(Bucket=NAME, Prefix="a b/")
    assert [found["Key"] for found in listed["Contents"]] == ["a b/ü&.wav"]
    with pytest.raises(ClientError, match="MethodNotAllowed"):
        client.create_bucket(Bucket=NAME)
    with pytest.raises(ClientError, match="InvalidArgument"):
        client.put_object(Bucket=NAME, Key="a", Body=b"1", ServerSideEncryption="rot13")
    with pytest.raises(ClientError, match="NotImplemented"):
        client.list_objects(Bucket=NAME)
    client.delete_object(Bucket=NAME, Key="a b/ü&.wav")
    assert services.buckets.objects[NAME] == {}
