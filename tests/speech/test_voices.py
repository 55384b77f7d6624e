"""The voice table, by its recorded cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aybiza.speech.voices import get_optimal_voice_for_context

RECORDED = Path(__file__).resolve().parents[1] / "golden" / "fn_get_optimal_voice_for_context.json"


@pytest.mark.parametrize("case", json.loads(RECORDED.read_text(encoding="utf-8"))["cases"])
def test_the_voice_is_the_recorded_one(case: dict[str, Any]) -> None:
    assert get_optimal_voice_for_context(case["input"]["context"]) == case["output"]
