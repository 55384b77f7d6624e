"""Ports: listening sockets, and free ports for what starts servers of its own.

Errors: `OSError` says which address cannot be had, and why.
"""

import contextlib
import random
import socket
from typing import Final

_FIRST: Final = 20_000
_BEHIND: Final = 32_000
"""Below the ports that systems give to who asks for any: nobody gets one of these by chance."""
_ATTEMPTS: Final = 100

SHARED: Final = "shared_"
"""How the names of doors begin that all nodes of a machine accept from."""

BACKLOG: Final = 1024
"""Connections that wait for a server to accept them."""


def bound(host: str, port: int) -> socket.socket:
    """A listening socket at the address."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {host}:{port}: {error.strerror}") from None


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `host` that nobody listens on now, and that nobody gets who asks for any port.

    Raises `OSError` if there is none to be found.
    """
    chance = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        port = chance.randrange(_FIRST, _BEHIND)
        with contextlib.suppress(OSError), socket.create_server((host, port)):
            return port
    raise OSError(f"none of {_ATTEMPTS} ports of {host} from {_FIRST} on is free")
