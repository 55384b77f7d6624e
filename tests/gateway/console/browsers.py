"""What tests in a browser have in common."""

from __future__ import annotations

from typing import Final

import pytest

from aybiza.benchmarks.chromium import FOUND

needs_chromium: Final = pytest.mark.skipif(
    FOUND is None,
    reason="NOT TESTED: no Chromium is installed; on Debian: apt-get install chromium",
)
