"""How a speech service says no, or breaks off, whichever it is.

Errors: these are errors. Source: RFC 6455, close codes; HTTP, status codes.
"""

from __future__ import annotations


class SpeechRefused(Exception):
    """A service refused to hear or speak, with HTTP `status`; the text says what that means."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class SpeechClosed(Exception):
    """A connection ended with close `code` (1006: without any) and `reason`."""

    def __init__(self, code: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.reason = reason
