"""The services that tools stand on, on a loopback port, and boto3 led to them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import boto3
import pytest

from aybiza.dialogue.tools.aws import Aws
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.http_auth import bearer
from aybiza.emulators.services import ServicesEmulator


@pytest.fixture
async def services(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ServicesEmulator]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with ServicesEmulator() as emulator:
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        yield emulator


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One for all tests: what boto3 reads for a service, it keeps."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test")


@pytest.fixture
async def aws(services: ServicesEmulator, session: boto3.Session) -> AsyncIterator[Aws]:
    made = Aws(region="us-east-1", read_seconds=0.5, session=session)
    yield made
    made.close()


@pytest.fixture
async def crm_api(services: ServicesEmulator) -> AsyncIterator[HttpApi]:
    api = HttpApi(f"{services.url}/crm", auth=bearer(services.crm.token), seconds=0.5)
    yield api
    await api.aclose()
