"""Recordings in a bucket, by the real boto3: what is sent, what is found, what a refusal says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from urllib3.exceptions import ProtocolError

from aybiza.actors.recordings import bucket as bucket_module
from aybiza.actors.recordings.bucket import Bucket, BucketError, Where, bucket
from aybiza.actors.recordings.shelf import Part, Shelf
from aybiza.config.settings import load
from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.s3 import Stored
from tests.actors.recordings.bucket_kit import NAME, bucket_of, emulated

KEY = bytes(range(32))


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServicesEmulator]:
    with emulated(monkeypatch) as made:
        yield made


def recording(shelf: Shelf, call_id: str = "CA1", began: float = 1.0, expires: float = 0.0) -> Path:
    part = Part(call_id, began, expires)
    shelf.write(part, 0, bytes(3_200))
    return next(path for path in shelf.parts(call_id) if path.stem == part.name)


def test_a_recording_comes_back_as_it_was_put_and_is_encrypted_there(
    services: ServicesEmulator, tmp_path: Path
) -> None:
    shelf, ours = Shelf(tmp_path, KEY), bucket_of(services)
    for began in (2.0, 1.0):
        ours.put(recording(shelf, "v3:a/b", began))
    names = ours.parts("v3:a/b")
    assert [name.split(".")[1] for name in names] == ["1000", "2000"]
    fetched = b"".join(shelf.opened(Path(names[0]), ours.get(names[0])))
    assert fetched == shelf.wav(tmp_path / names[0])[44:]
    stored = services.buckets.objects[NAME][f"recordings/{names[0]}"]
    assert (stored.encryption, stored.kind) == ("AES256", "application/octet-stream")


def test_the_key_of_the_settings_encrypts(services: ServicesEmulator, tmp_path: Path) -> None:
    path = recording(Shelf(tmp_path))
    bucket_of(services, encryption="aws:kms", key="alias/calls").put(path)
    (stored,) = services.buckets.objects[NAME].values()
    assert (stored.encryption, stored.kms_key, stored.kind) == (
        "aws:kms",
        "alias/calls",
        "audio/wav",
    )
    bucket_of(services, encryption="none", prefix="").put(path)
    assert services.buckets.objects[NAME][path.name].encryption == ""


def test_what_is_forgotten_or_due_is_gone_however_long_the_listing_is(
    services: ServicesEmulator, tmp_path: Path
) -> None:
    shelf, ours = Shelf(tmp_path), bucket_of(services)
    services.buckets.page = 2
    services.buckets.objects[NAME]["recordings/notes.txt"] = Stored(b"", "text/plain", "", "")
    for number in range(5):
        ours.put(recording(shelf, "CA1", number + 1.0, expires=100.0 if number < 3 else 0.0))
    ours.put(recording(shelf, "CA10"))
    assert ours.sweep(99.0) == 0 and ours.sweep(100.0) == 3
    assert len(ours.others(["CA1"])) == 1
    assert ours.forget(["CA1", "CA2"]) == 2
    assert ours.parts("CA1") == [] and len(ours.parts("CA10")) == 1
    assert "recordings/notes.txt" in services.buckets.objects[NAME]


def test_a_refusal_says_what_the_bucket_says_and_no_secret(
    services: ServicesEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = recording(Shelf(tmp_path))
    services.buckets.full = (503, "SlowDown")
    with pytest.raises(BucketError, match=r"s3://calls-of-ours/recordings/ .*put_object: SlowDown"):
        bucket_of(services).put(path)
    with pytest.raises(BucketError, match="NoSuchBucket"):
        bucket_of(services, name="another-one").parts("CA1")
    with pytest.raises(BucketError, match="NoSuchKey"):
        list(bucket_of(services).get("CA1.1.0.wav"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-the-secret")
    with pytest.raises(BucketError) as refusal:
        bucket_of(services).put(path)
    assert "SignatureDoesNotMatch" in str(refusal.value)
    assert "not-the-secret" not in str(refusal.value)


class Proxy:
    """Answers whatever it is asked with a page, status 200, or breaks off in the midst of one."""

    def put_object(self, **_: Any) -> dict[str, Any]:
        return {"ResponseMetadata": {"HTTPStatusCode": 200}}

    list_objects_v2 = put_object

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": self}

    def close(self) -> None: ...

    def iter_chunks(self, size: int) -> Iterator[bytes]:
        yield b"<html>"
        raise ProtocolError("Connection broken")


def test_a_page_in_the_place_of_an_answer_is_taken_for_none(tmp_path: Path) -> None:
    ours = Bucket(Where("calls", "", "us-east-1"))
    ours._made = Proxy()
    with pytest.raises(BucketError, match="without an ETag"):
        ours.put(recording(Shelf(tmp_path)))
    with pytest.raises(BucketError, match="list_objects_v2 as no S3 does"):
        ours.forget(["CA1"])
    with pytest.raises(BucketError, match="cannot be asked for get_object"):
        list(ours.get("CA1.1.0.wav"))


def test_a_bucket_that_is_away_is_asked_once(services: ServicesEmulator, tmp_path: Path) -> None:
    services.drop("s3")
    with pytest.raises(BucketError, match="cannot be asked for put_object"):
        bucket_of(services).put(recording(Shelf(tmp_path)))
    assert len(services.journal) == 1


@contextmanager
def dripping(answer: bytes) -> Iterator[str]:
    """A server that gives this to everything, and then goes on without end, byte by byte."""
    over = threading.Event()

    def drip(held: socket.socket) -> None:
        with held, suppress(OSError):
            held.recv(65536)
            held.sendall(answer)
            while not over.wait(0.05):
                held.sendall(b"x")

    def take(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                held, _ = listening.accept()
                threads.append(threading.Thread(target=drip, args=(held,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threads = [threading.Thread(target=take, args=(listening,))]
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            over.set()
            listening.shutdown(socket.SHUT_RDWR)
            for thread in threads:
                thread.join(10)


@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 503 Slow\r\ncontent-length: 9999\r\n\r\n"],
    ids=["nothing", "a header", "a body"],
)
def test_a_bucket_that_drips_keeps_no_thread(
    answer: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket_module, "OPERATION_SECONDS", 0.3)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with dripping(answer) as url:
        ours = Bucket(Where("calls", "", "us-east-1", url))
        for _ in range(2):
            with pytest.raises(BucketError, match=r"has not done put_object within 0\.3"):
                ours.put(recording(Shelf(tmp_path)))


def test_the_settings_name_it(tmp_path: Path) -> None:
    assert bucket(load({})) is None
    variables = {
        "AYBIZA_RECORDINGS": str(tmp_path),
        "AYBIZA_RECORDINGS_BUCKET": "s3://calls-of-ours/eu/desk/",
        "AYBIZA_RECORDINGS_REGION": "eu-central-1",
    }
    named = bucket(load(variables))
    assert isinstance(named, Bucket)
    assert named.where == Where("calls-of-ours", "eu/desk/", "eu-central-1")
