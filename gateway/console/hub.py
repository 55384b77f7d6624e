"""`Hub`: the one picture of a node that all its viewers share, and the viewers.

    viewer = hub.enter("CA1")                 somebody looks, at this call among others
    text = await viewer.next()                what to send them; None when it is over
    hub.leave(viewer)
    await hub.tick()                          the work of a fifth of a second, in slices

A tick is done once, however many look, and none while nobody does. What has changed is written once
into frames, a line each (`frame`), which all viewers are given; a new one gets the whole picture
first, in frames of a slice each. Whoever takes their frames too slowly gets the whole picture
again instead of what they have missed, so that no queue grows. Of a call that somebody looks at,
what is written into its journal is told too.

The hub stands in a table of the VM, so a restart of the process that ticks is not noticed.
Errors: `Crowded` where too many look.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from aybiza.actors import names
from aybiza.actors.measures.costs import ledger
from aybiza.actors.memory.journals import journals
from aybiza.actors.recordings.recordings_actor import is_recorded, listen
from aybiza.actors.runtime import VM
from aybiza.config import clocks
from aybiza.config.catalogue import MICRO
from aybiza.gateway.console.happenings import Happenings
from aybiza.gateway.console.look import SLICE, Look
from aybiza.gateway.console.transcript import Ear, told

MOST_VIEWERS: Final = 16
MOST_FRAMES: Final = 64
"""Frames that wait for one viewer; what comes then is the whole picture."""

BEAT_SECONDS: Final = 5.0
"""A viewer hears something so often: of a page that hears nothing, the node is gone."""

LOST_SECONDS: Final = 15.0
"""Who has been told nothing for so long is not served any more: the process that ticks is gone."""

SLOW: Final = 4
"""Ticks between two looks at what changes slowly."""

POINTS: Final = 720
"""Points of the series: an hour of one every `POINT_SECONDS`."""
POINT_SECONDS: Final = 5.0

TABLE: Final = "console"

Members = Callable[[], Awaitable[list[dict[str, Any]]]]


def _nothing() -> None: ...


class Crowded(Exception):
    """As many look as may."""


class Viewer:
    """Somebody who looks; see `Hub`. `call_id`: whose journal they are told, empty for none.
    `deafen`: they hear nothing of a call any more."""

    def __init__(self, call_id: str) -> None:
        self.call_id = call_id
        self.fresh = True
        self.closed = False
        self.written = 0
        self._frames: deque[str] = deque()
        self._come = asyncio.Event()
        self._silent = 0.0
        self.deafen: Callable[[], None] = _nothing

    def look_at(self, call_id: str) -> None:
        """From now on they are told that call's journal, from its beginning, and hear none."""
        self.deafen()
        self.deafen = _nothing
        self.call_id = call_id
        self.written = 0

    def give(self, frame: str) -> None:
        """A frame for them."""
        if self.closed:
            return
        if len(self._frames) >= MOST_FRAMES:
            self._frames.clear()
            self.fresh, self.written = True, 0
            return
        self._frames.append(frame)
        self._come.set()

    def close(self) -> None:
        """There will be no more."""
        self.deafen()
        self.closed = True
        self._come.set()

    async def next(self) -> str | None:
        """The next frames, one behind the other; a beat if there is none for a while, or None at
        the end."""
        while not self._frames:
            if self.closed or self._silent >= LOST_SECONDS:
                return None
            self._come.clear()
            try:
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._come.wait()
            except TimeoutError:
                self._silent += BEAT_SECONDS
                return frame("beat", {})
        self._silent = 0.0
        data = "".join(self._frames)
        self._frames.clear()
        return data


class Hub:
    """See the module. `members` tells the nodes of the cluster; `about` is told to every viewer
    first."""

    def __init__(
        self,
        vm: VM,
        members: Members,
        about: dict[str, Any] | None = None,
        wall: Callable[[], float] = clocks.wall,
    ) -> None:
        self.vm = vm
        self.about = about or {}
        self.heard = Happenings(vm.now, wall)
        self.viewers: list[Viewer] = []
        self.points: deque[list[float]] = deque(maxlen=POINTS)
        self._members = members
        self._wall = wall
        self._look = Look()
        self._ears: dict[str, Ear] = {}
        self._ticks = 0
        self._node: dict[str, Any] = {}
        self._cluster: list[dict[str, Any]] = []
        self._asked: float | None = None
        self._told = 0
        self._pointed = (0, 0.0)

    def enter(self, call_id: str) -> Viewer:
        """Somebody looks. Raises `Crowded`."""
        if len(self.viewers) >= MOST_VIEWERS:
            raise Crowded
        viewer = Viewer(call_id)
        self.viewers.append(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """They do not any more."""
        viewer.close()
        if viewer in self.viewers:
            self.viewers.remove(viewer)
        if not self.viewers:
            self._close_ears()

    def close(self) -> None:
        """The node ends: nobody is kept waiting."""
        for viewer in self.viewers:
            viewer.close()
        self.viewers.clear()
        self._close_ears()

    async def tick(self) -> None:
        """Look, and tell everybody."""
        self._ticks += 1
        fresh = [viewer for viewer in self.viewers if viewer.fresh]
        others = [viewer for viewer in self.viewers if not viewer.fresh]
        for changed in self._look.processes(self.vm, self.heard):
            _give(others, "processes", {"rows": changed} if changed else None)
            await asyncio.sleep(0)
        measured = self._look.measure(self.vm)
        _give(others, "processes", {"rows": measured} if measured else None)
        await asyncio.sleep(0)
        gone = self._look.gone()
        _give(others, "gone", {"serials": gone} if gone else None)
        calls, over = self._look.changed_calls()
        for some in _pieces(calls):
            _give(others, "calls", {"rows": some, "gone": []})
            await asyncio.sleep(0)
        _give(others, "calls", {"rows": [], "gone": over} if over else None)
        await asyncio.sleep(0)
        await self._slow(others)
        news = self.heard.since(self._told)
        self._told = self.heard.number
        _give(others, "news", {"news": news} if news else None)
        await asyncio.sleep(0)
        for viewer in fresh:
            viewer.fresh = False
        if fresh:
            await self._whole(fresh)
        self._calls()

    def _close_ears(self) -> None:
        for ear in self._ears.values():
            ear.close()
        self._ears.clear()

    async def _slow(self, others: list[Viewer]) -> None:
        """What changes slowly, and is told when it has changed."""
        if self._ticks % SLOW == 1:
            cluster = await self._members()
            if cluster != self._cluster:
                self._come_and_gone(cluster)
                self._cluster = cluster
                _give(others, "cluster", {"members": cluster})
            self._asked = self.vm.now()
        node = self._look.node(self.vm, self.heard, self._wall(), self._cluster)
        if node != self._node:
            self._node = node
            _give(others, "node", node)

    def _come_and_gone(self, cluster: list[dict[str, Any]]) -> None:
        """Tell which nodes have come and gone, if it was looked a moment ago."""
        if self._asked is None or self.vm.now() - self._asked > BEAT_SECONDS:
            return
        before, now = _reached(self._cluster), _reached(cluster)
        for node in sorted(before - now):
            self.heard.tell("left", f"the node {node} is not reached any more")
        for node in sorted(now - before):
            self.heard.tell("come", f"the node {node} has come")

    async def _whole(self, fresh: list[Viewer]) -> None:
        about = {"node": self.vm.node, **self.about, "at": self._wall()}
        # It is given in one, so that however large it is it has room in a viewer's queue.
        whole = [frame("about", about)]
        for rows in _pieces(list(self._look.rows.values())):
            whole.append(frame("processes", {"rows": rows}))
            await asyncio.sleep(0)
        for some in _pieces(list(self._look.calls.values())):
            whole.append(frame("calls", {"rows": some, "gone": []}))
            await asyncio.sleep(0)
        whole.append(frame("node", self._node))
        whole.append(frame("cluster", {"members": self._cluster}))
        whole.append(frame("news", {"news": list(self.heard.news)}))
        whole.append(frame("points", {"points": list(self.points)}))
        told = "".join(whole)
        for viewer in fresh:
            viewer.give(told)
        await asyncio.sleep(0)

    def _calls(self) -> None:
        """Tell of the calls that somebody looks at."""
        watched = {viewer.call_id for viewer in self.viewers if viewer.call_id}
        for call_id in self._ears.keys() - watched:
            self._ears.pop(call_id).close()
        for call_id in watched:
            level = self._level(call_id)
            for viewer in self.viewers:
                if viewer.call_id == call_id and not viewer.fresh:
                    self._tell_call(viewer, level)

    def _tell_call(self, viewer: Viewer, level: dict[str, Any] | None) -> None:
        call_id = viewer.call_id
        journal = journals(self.vm).get(call_id)
        rows = told(journal.outside, viewer.written) if journal is not None else []
        if rows:
            viewer.written = rows[-1][0]
        if not rows and level is None:
            return
        picture: dict[str, Any] = {"id": call_id, "rows": rows, "level": level}
        picture["recorded"] = is_recorded(self.vm, call_id)
        if rows:
            picture["turns"] = self.heard.turns_of(call_id)
            picture["usd"] = ledger(self.vm).calls.get(call_id, 0) / MICRO
        viewer.give(frame("call", picture))

    def _level(self, call_id: str) -> dict[str, Any] | None:
        process = self.vm.find(names.call(call_id))
        line = getattr(process.server, "line", None) if process is not None else None
        if line is None:
            return None
        ear = self._ears.setdefault(call_id, Ear())
        return {"at": self._wall(), **ear.levels(line, self.vm.now())}

    @property
    def alarms(self) -> list[dict[str, Any]]:
        """Those that were told last."""
        found: list[dict[str, Any]] = self._node.get("alarms", [])
        return found

    def listen(self, viewer: Viewer) -> bool:
        """From now on they hear the call that they look at, as it is recorded; whether it is."""
        call_id = viewer.call_id

        def hear(stereo: bytes) -> None:
            audio = base64.b64encode(stereo).decode()
            viewer.give(frame("audio", {"id": call_id, "audio": audio}))

        viewer.deafen()
        viewer.deafen = listen(self.vm, call_id, hear) or _nothing
        return viewer.deafen is not _nothing

    def point(self) -> None:
        """Put down how it stands, for the plots: unix time, calls, restarts since the last point,
        the median and the 95th percentile of the response in s, what it has cost since in USD."""
        since = self.vm.now() - POINT_SECONDS
        times = sorted(seconds for at, seconds in self.heard.responses if at >= since)
        restarts, usd = self.heard.restarted, sum(ledger(self.vm).days.values()) / MICRO
        before, cost = self._pointed
        self._pointed = (restarts, usd)
        point = [
            round(self._wall(), 1),
            float(self.vm.count_processes("CallActor")),
            float(restarts - before),
            _share(times, 0.5),
            _share(times, 0.95),
            round(max(0.0, usd - cost), 6) if self.points else 0.0,
        ]
        self.points.append(point)
        _give(self.viewers, "points", {"points": [point]})


def hub(vm: VM) -> Hub | None:
    """The hub of `vm`; None on a node without a console."""
    found = vm.tables.get(TABLE)
    return found if isinstance(found, Hub) else None


def frame(event: str, data: Any) -> str:
    """An event as a line: its name, a space, and JSON.

    >>> frame("gone", {"serials": [7]})
    'gone {"serials":[7]}\\n'
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # What is no text in UTF-8 cannot be sent.
    return f"{event} {text.encode(errors='replace').decode()}\n"


def _give(viewers: list[Viewer], event: str, data: Any) -> None:
    if data is None or not viewers:
        return
    made = frame(event, data)
    for viewer in viewers:
        viewer.give(made)


def _reached(members: list[dict[str, Any]]) -> set[str]:
    return {member["node"] for member in members if member["state"] != "down"}


def _pieces(rows: list[Any]) -> Iterator[list[Any]]:
    for at in range(0, len(rows), SLICE):
        yield rows[at : at + SLICE]


def _share(times: list[float], share: float) -> float:
    """The percentile; 0 where there is none."""
    return round(times[min(len(times) - 1, int(len(times) * share))], 3) if times else 0.0
