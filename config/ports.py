"""Ports: listening sockets, and free ports for what starts servers of its own.

Errors: `CannotListen` (an `OSError`) says which address cannot be had, why, and what to change;
`OSError` where no port is free.
"""

import contextlib
import errno
import os
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


_DO: Final = {
    errno.EADDRINUSE: "another program listens there (ss -ltnp names it): end it, or choose another"
    " port",
    errno.EACCES: "ports below 1024 are the system's: choose another port",
    errno.EADDRNOTAVAIL: "no interface of this machine has this address: set AYBIZA_BIND to one",
}


class CannotListen(OSError):
    """An address cannot be had; the text says which, why, and what to change."""

    for_people = True

    def __str__(self) -> str:
        return str(self.strerror)


def bound(host: str, port: int, setting: str = "") -> socket.socket:
    """A listening socket at the address. `setting`: the name of what says the port."""
    try:
        return socket.create_server((host, port), backlog=BACKLOG)
    except OSError as error:
        do = _DO.get(error.errno or 0) or os.strerror(error.errno or 0)
        variable = "" if "AYBIZA" in do or not setting else f" ({setting})"
        told = f"cannot listen on {host}:{port}: {do}{variable}"
        raise CannotListen(error.errno, told) from None


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
