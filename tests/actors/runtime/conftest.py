"""What the tests of the runtime share."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs


@pytest.fixture
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """What was logged; crash reports are in it once the VM is closed."""
    with capture_logs() as captured:
        yield captured
