"""`RequestParser`: h11's reader of requests, with bounds on what costs most to read.

Bytes are cheap to read and parts are not: a body in chunks of one byte costs a hundred times what
its bytes cost, headers of a letter nearly so, and what has come is read in one turn of the loop. So
a request has at most `MOST_LINES` lines in its head and `MOST_PIECES` pieces in its body. Carriers,
proxies and browsers send some thirty lines, and a body in one piece or a few.

Contract: as `h11.Connection`, for the side of a server. Errors: `h11.RemoteProtocolError` for what
is beyond a bound, ahead of reading it.
"""

from __future__ import annotations

from typing import Any, Final

import h11

MOST_LINES: Final = 128
MOST_PIECES: Final = 256
"""A body of 64 KB comes in 45 segments, or in 122 of the smallest that networks have; 1,024 chunks
of a byte take 8 ms to read."""
_END: Final = b"\r\n\r\n"


class RequestParser(h11.Connection):
    """See the module. `most_bytes`: of a head."""

    def __init__(self, most_bytes: int) -> None:
        super().__init__(h11.SERVER, most_bytes)
        self._pieces = 0

    def next_event(self) -> Any:
        """As h11 has it; see the module."""
        if self.their_state is h11.IDLE:
            self._pieces = 0
            head, _, _ = self.trailing_data[0].partition(_END)
            if head.count(b"\n") > MOST_LINES:
                raise h11.RemoteProtocolError("too many headers")
        event = super().next_event()
        if type(event) is h11.Data:
            self._pieces += 1
            if self._pieces > MOST_PIECES:
                raise h11.RemoteProtocolError("too many pieces of a body")
        return event
