"""The services on a loopback port, and a plain HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from aybiza.emulators.services import ServicesEmulator


@pytest.fixture
async def services() -> AsyncIterator[ServicesEmulator]:
    async with ServicesEmulator() as emulator:
        yield emulator


@pytest.fixture
async def client(services: ServicesEmulator) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=services.url, trust_env=False, timeout=5) as made:
        yield made
