"""The error ladder, by its recorded cases."""

from __future__ import annotations

from typing import Any

import pytest

from aybiza.claude.fallback import handle_bedrock_error, throttling_fallback
from tests.claude.golden import cases

Case = dict[str, Any]


@pytest.mark.parametrize("case", cases("handle_bedrock_error"))
def test_handle_bedrock_error(case: Case) -> None:
    ((tag, value),) = case["input"].items()
    assert handle_bedrock_error((tag, value)) == case["output"]


@pytest.mark.parametrize("case", cases("throttling_fallback"))
def test_throttling_fallback(case: Case) -> None:
    if "raises" in case:
        with pytest.raises(KeyError):
            throttling_fallback(case["input"])
    else:
        assert throttling_fallback(case["input"]) == case["output"]
