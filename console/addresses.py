"""Which process an operator means: pids as they are typed and shown.

`<back.12@k7fq>` is one process of one start of one node; the part behind the @ tells the start from
others of that node. `<back.12>` is one of the node as it runs now, `12` one of the node that is
asked, if it is alone or named by `--node`; so is `<0.12>`, as Erlang writes it.
Errors: `ValueError` with a text for people.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from aybiza.actors.runtime import VM, Pid

_PID = re.compile(r"<?(?:([A-Za-z0-9][A-Za-z0-9_-]*)\.)?([0-9]+)(?:@([0-9a-z]+))?>?")


class Place(NamedTuple):
    """Where a process is: on the node `node`; `pid` if that is this one."""

    node: str
    pid: Pid | None


def is_pid(which: str) -> bool:
    """Whether this is a pid, of whatever node."""
    return _PID.fullmatch(which) is not None


def place_of(vm: VM, which: str, node: str | None = None) -> Place | None:
    """Where the process with this pid is; None for what is no pid. `node` is `--node`.

    Raises `ValueError` for a pid of another start, of a node that cannot be reached, or of
    nobody knows which.
    """
    typed = _PID.fullmatch(which)
    if typed is None:
        return None
    name, serial, start = typed.groups()
    nodes = [vm.node, *sorted(vm.nodes())]
    if name is None or (name == "0" and name not in nodes):
        if node is None and len(nodes) > 1:
            raise ValueError(
                f"{which} may be a process of any of {', '.join(nodes)}:"
                f" write <{vm.node}.{serial}>, or say which with --node"
            )
        name = node or vm.node
    if node is not None and name != node:
        raise ValueError(f"{which} is a process of the node {name}, and --node says {node}")
    if name not in nodes:
        raise ValueError(
            f"{which} is a process of the node {name}, which {vm.node} does not reach:"
            f" it knows {', '.join(nodes)}"
        )
    if name != vm.node:
        return Place(name, None)
    pid = Pid(vm.node, int(serial), vm.creation)
    if start is not None and start != pid.start:
        raise ValueError(
            f"{which} was a process of another start of the node {vm.node};"
            f" its present start is {pid.start or 'the only one'}, and `aybiza tree` shows it"
        )
    return Place(vm.node, pid)
