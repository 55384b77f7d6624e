"""How a speech service says no, or breaks off, whichever it is.

Errors: these are errors. Source: RFC 6455, close codes; HTTP, status codes.
"""

from __future__ import annotations


class SpeechRefused(Exception):
    """A service refused to hear or speak, with HTTP `status`; the text says what that means.
    `wait`: seconds for which it asks to be left alone, 0.0: it does not."""

    def __init__(self, status: int, text: str, wait: float = 0.0) -> None:
        super().__init__(text)
        self.status = status
        self.wait = wait


class SpeechClosed(Exception):
    """A connection ended with close `code` (1006: without any) and `reason`."""

    def __init__(self, code: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.reason = reason
