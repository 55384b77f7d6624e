"""The recorded cases of the specification's functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "golden"


def cases(function: str) -> list[Any]:
    """One pytest parameter a case of `fn_<function>.json`."""
    recorded = json.loads((FOLDER / f"fn_{function}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=f"case{n}") for n, case in enumerate(recorded["cases"])]
