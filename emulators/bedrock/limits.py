"""Limits of the emulated service that can be set lower, so that a test reaches them.

Contract: data. `input_tokens`: how many tokens a model reads at most (None: its own context), about
four characters each.
Errors: `ValueError` for a limit that makes no sense.
Source: Bedrock: "Input is too long for requested model."
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """See the module."""

    input_tokens: int | None = None

    def __post_init__(self) -> None:
        most = self.input_tokens
        whole = isinstance(most, int) and not isinstance(most, bool)
        if most is not None and not (whole and most >= 1):
            raise ValueError(f"limits.input_tokens is {most!r:.80}; allowed: 1 or more, or null")

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, members: object) -> Limits:
        if not isinstance(members, Mapping) or set(members) - {"input_tokens"}:
            raise ValueError(f"limits: known is input_tokens, not {members!r:.80}")
        return cls(members.get("input_tokens"))
