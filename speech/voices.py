"""Which of an agent's two voices speaks: the second one while the first fails. Pure.

    voices = Voices("aura-2-thalia-en", "elevenlabs:JBFqnCBsd6RMkjVDRZzb")
    voices.name                      the one to speak now
    voices.failed(heard=False)       it could not be had, or said nothing: the other one's turn
    voices.worked()                  it has said something whole
    voices.missed                    the first one, where the second one speaks in its place
    voices.go_back()                 it speaks again

In the midst of a sentence the same voice is tried once more, for a sentence in two voices is worse
than a pause. A voice that took over stays until the first one is known to speak again; a call goes
back to that once. If it fails again the second one stays for good: who hears a voice does not want
it to change again and again. A voice alone is tried for ever.

Errors: none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

ELEVENLABS: Final = "elevenlabs"
DEEPGRAM: Final = "deepgram"


def provider_of(voice: str) -> str:
    """Whose voice it is.

    >>> provider_of("aura-2-thalia-en"), provider_of("elevenlabs:JBFqnCBsd6RMkjVDRZzb")
    ('deepgram', 'elevenlabs')
    """
    return ELEVENLABS if voice.startswith(f"{ELEVENLABS}:") else DEEPGRAM


class Voices:
    """See the module. `second`: None, there is no other."""

    def __init__(self, first: str, second: str | None = None) -> None:
        self._voices = [first, *([second] if second is not None else [])]
        self._at = 0
        self._stayed = self._returned = False

    @property
    def name(self) -> str:
        """See the module."""
        return self._voices[self._at]

    @property
    def several(self) -> bool:
        """Whether there is another one."""
        return len(self._voices) > 1

    @property
    def missed(self) -> str | None:
        """The first voice, if the second one speaks in its place and the call may go back to it."""
        return self._voices[0] if self._at and not self._returned else None

    def go_back(self) -> None:
        """The first voice is to speak again."""
        if self.missed is not None:
            self._returned = True
            self._next()

    def failed(self, *, heard: bool) -> None:
        """See the module. `heard`: some of what it was saying has come."""
        if heard and not self._stayed:
            self._stayed = True
            return
        self._next()

    def worked(self) -> None:
        """See the module."""
        self._stayed = False

    def avoid(self, is_down: Callable[[str], bool]) -> None:
        """Let the other one speak where this one is known to be down, and the other is not."""
        if self.several and is_down(self.name) and not is_down(self._voices[1 - self._at]):
            self._next()

    def _next(self) -> None:
        self._at = (self._at + 1) % len(self._voices)
        self._stayed = False
