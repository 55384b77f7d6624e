"""Which calls have a line at another node of the cluster, and when it was given.

    lines.begin(call_id, given)      by the process that reads a stream; it ends with that process
    lines.given(call_id)             when the newest line of the call at another node was given
    lines.has(call_id, given)        whether another node has that very line

A webhook or a token that was seen once could be sent to a node that has not taken it. Each node
knows the lines of all others, as members of process groups, so looking asks nobody. `given` is when
the answer was made that the line follows (`stream_token.given_at`), in seconds of unix time.

A line is known elsewhere as soon as its node has told: some milliseconds behind its start. A node
that cannot be reached has no lines. Errors: none.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
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
            # The first says at once whether there is any; the second is looked for only then.
            cluster.join_group((_LINE, call_id))
            cluster.join_group((_LINE, call_id, given))

    def given(self, call_id: str) -> float | None:
        """See the module; None where there is no line."""
        if not self._is_elsewhere((_LINE, call_id)):
            return None
        return max(self._all(call_id), default=None)

    def has(self, call_id: str, given: float) -> bool:
        """See the module."""
        return self._is_elsewhere((_LINE, call_id, given))

    def _all(self, call_id: str) -> Iterator[float]:
        cluster = self._cluster()
        for group in cluster.groups.groups() if cluster is not None else ():
            match group:
                case (str(kind), str(of), float(given)) if (kind, of) == (_LINE, call_id):
                    if self._is_elsewhere(group):
                        yield given

    def _is_elsewhere(self, group: Hashable) -> bool:
        cluster = self._cluster()
        return cluster is not None and any(
            pid.node != cluster.vm.node for pid in cluster.groups.members(group)
        )

    def _cluster(self) -> Distribution | None:
        remote = None if self._vm is None else self._vm.remote
        return remote if isinstance(remote, Distribution) else None
