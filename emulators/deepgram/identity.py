"""Who answers: the request and the model that Deepgram's messages name.

Contract: an `Identity` belongs to one connection; its ids follow from a seed and a number, so two
runs of one seed tell the same. `created` is the wall clock's time, handed in. Pure.
Source: Deepgram's AsyncAPI document: `Metadata` of listen v1 and speak v1, `metadata` of `Results`.
"""

from __future__ import annotations

import functools
import uuid
from dataclasses import dataclass
from typing import Any

VERSION = "2025-01-01.0"

# Ids of the emulator's own, in the name space of names.
_NAMESPACE = uuid.NAMESPACE_OID


@functools.lru_cache(maxsize=1024)
def _uuid(*parts: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, ":".join(map(str, parts))))


@dataclass(frozen=True, slots=True)
class Identity:
    """A connection's `request_id` and its model; `created` as ISO 8601 with a Z."""

    request_id: str
    model: str
    created: str

    @classmethod
    def of(cls, seed: int, number: int, model: str, created: str) -> Identity:
        """That of the `number`th connection."""
        return cls(_uuid("request", seed, number), model, created)

    @property
    def model_uuid(self) -> str:
        return _uuid("model", self.model)

    def speak_metadata(self) -> dict[str, Any]:
        """What a speak socket begins with."""
        return {
            "type": "Metadata",
            "request_id": self.request_id,
            "model_name": self.model,
            "model_version": VERSION,
            "model_uuid": self.model_uuid,
        }

    def result_metadata(self) -> dict[str, Any]:
        """What stands in every `Results`."""
        return {
            "request_id": self.request_id,
            "model_info": {"name": self.model, "version": VERSION, "arch": "nova-3"},
            "model_uuid": self.model_uuid,
        }

    def listen_metadata(self, seconds: float, sha256: str) -> dict[str, Any]:
        """What a listen v1 socket ends with; `sha256` is the digest of all audio that came."""
        return {
            "type": "Metadata",
            "transaction_key": "deprecated",
            "request_id": self.request_id,
            "sha256": sha256,
            "created": self.created,
            "duration": seconds,
            "channels": 1,
        }


EMULATED = Identity.of(0, 0, "nova-3", "1970-01-01T00:00:00.000Z")
"""That of a socket of which nobody asks who answers."""
