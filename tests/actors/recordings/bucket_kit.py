"""An emulated S3 with a bucket, its credentials in the environment, and a client of ours."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aybiza.actors.recordings.bucket import Bucket, Where
from aybiza.emulators.services import ServicesEmulator
from aybiza.emulators.services.s3 import ACCESS_KEY, SECRET

NAME = "calls-of-ours"


@contextmanager
def emulated(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServicesEmulator]:
    """The services in a thread of their own, for boto3 waits."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    services = ServicesEmulator()
    services.buckets.made.add(NAME)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(services.start(), loop).result(10)
        yield services
    finally:
        asyncio.run_coroutine_threadsafe(services.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def bucket_of(services: ServicesEmulator, **changes: str) -> Bucket:
    """A client of the emulated bucket, below `recordings/`."""
    where = Where(NAME, "recordings/", "eu-central-1", services.url)
    return Bucket(where._replace(**changes))
