"""What has become of a caller who is to be put through to somebody. Errors: none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aybiza.dialogue.journal import (
    REACHED,
    TRANSFER,
    AgentSentence,
    Ended,
    Transferred,
    Transferring,
)
from aybiza.dialogue.transfer import GAVE_UP, words_after

if TYPE_CHECKING:
    from aybiza.faults.trial import Outcome


def put_through(outcome: Outcome) -> Iterator[str]:
    """Somebody with a number is dialled, and a caller for whom nobody was reached is told so before
    anything else."""
    entries = [entry for _, entry in outcome.entries]
    wanted = {entry.to for entry in entries if isinstance(entry, Transferring)}
    unknown = wanted - set(outcome.agent.transfer_numbers)
    is_dialled = any("<Dial" in document for document in outcome.documents)
    if Ended(TRANSFER) in entries and not (is_dialled or unknown):
        yield "the caller was to be put through, and nobody was dialled"
    for number, entry in enumerate(entries):
        if isinstance(entry, Transferred) and entry.outcome not in (REACHED, GAVE_UP):
            words = words_after(outcome.agent, entry.outcome)
            said = next((e for e in entries[number:] if isinstance(e, AgentSentence | Ended)), None)
            if isinstance(said, AgentSentence) and said.text != words:
                yield f"nobody was reached ({entry.outcome}), and the caller is not told"
