"""Which calls have a line at another node of the cluster, and in which second it was given.

    lines.begin(call_id, given)      by the process that reads a stream; it ends with that process
    lines.are_elsewhere(call_id)     whether another node has a line of the call
    lines.has(call_id, given)        whether it is one that was given in this very second

A webhook or a token that was seen once could be sent to a node that has not taken it. Each node
knows the lines of all others, as members of process groups, so looking asks nobody, and takes no
longer the more there are. `given` is when the answer was made that the line follows
(`stream_token.given_at`), in seconds of unix time.

A line is known elsewhere as soon as its node has told: some milliseconds behind its start. A node
that cannot be reached has no lines. Errors: none.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from aybiza.actors.cluster.distribution import Distribution
from aybiza.actors.runtime import VM

_LINE: Final = "line"


class Lines:
    """See the module; none where there is no VM, or it is of no cluster."""

    def __init__(self, vm: VM | None) -> None:
        self._vm = vm

    def begin(self, call_id: str, given: float) -> None:
        """A stream of the call has started here; see the module."""
        cluster = self._cluster()
        if cluster is not None:
            cluster.join_group((_LINE, call_id))
            cluster.join_group((_LINE, call_id, int(given)))

    def are_elsewhere(self, call_id: str) -> bool:
        """See the module."""
        return self._is_elsewhere((_LINE, call_id))

    def has(self, call_id: str, given: float) -> bool:
        """See the module."""
        return self._is_elsewhere((_LINE, call_id, int(given)))

    def _is_elsewhere(self, group: Hashable) -> bool:
        cluster = self._cluster()
        return cluster is not None and any(
            pid.node != cluster.vm.node for pid in cluster.groups.members(group)
        )

    def _cluster(self) -> Distribution | None:
        remote = None if self._vm is None else self._vm.remote
        return remote if isinstance(remote, Distribution) else None
