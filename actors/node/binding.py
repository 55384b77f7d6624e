"""Where Thespian's listeners bind, and what an importer of Thespian needs to know first.

Thespian 4.0.1 lets admin, logger, every actor and every outside client listen on all interfaces
and unpickles what arrives there, so that whoever can connect can run code; `THESPIAN_BASE_IPADDR`
changes only the address that it tells others. Every listener takes its socket address from
`IPActorAddress.bindArgs`, which gives ("", port) for an address that others may use.
`bind_listeners` replaces the empty host by one interface. The processes of the actor system are
forks of the one that started it, so the change is in force in each of them.

Contract: call `bind_listeners` before the first ActorSystem of the process is made.
"""

import ipaddress
import os

# Thespian reads this when it is imported: with a size below 10 KB it keeps no log file of its own
# in the temporary directory. Set THESPLOG_FILE_MAXSIZE and THESPLOG_FILE to get that file back.
os.environ.setdefault("THESPLOG_FILE_MAXSIZE", "0")

from thespian.system.transport.IPBase import IPActorAddress, thisSystem

LOOPBACK = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether this IPv4 address is of no use to other machines; a name is not.

    >>> [is_loopback("127.0.0.2"), is_loopback("10.0.0.1"), is_loopback("localhost.example")]
    [True, False, False]
    """
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def keeping_address(address: str) -> str:
    """Where Thespian listens on a machine whose nodes are reached at `address`: on loopback."""
    return address if is_loopback(address) else LOOPBACK


def bind_listeners(address: str) -> None:
    """Bind each Thespian listener of this process and of its forks to `address` (IPv4).

    It is also the address that they tell others.
    """
    os.environ["THESPIAN_BASE_IPADDR"] = address
    thisSystem.add_local_addr(address)
    IPActorAddress.bindArgs = property(lambda self: ((address, self.bindname[1]),))
