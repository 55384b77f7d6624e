"""UploadsActor: has recordings that are whole put into a bucket, off the loop and off the calls.

    child(UploadsActor, shelf, bucket, name=names.UPLOADS)

`RecordingsActor` writes to the shelf, as without a bucket. Once in `EVERY_SECONDS` this actor looks
which files are whole: those of this node's calls when their last piece is written, those that
another node has left, or this one before it died, when nobody has written to them for
`LEFT_SECONDS`. One thread puts them into the bucket, one behind the other; a file is deleted when
the bucket has it. While one node of a folder puts a file, the others leave it alone. One that is
forgotten meanwhile is deleted from the bucket again.

Where the bucket is away or refuses, files stay where they are, whatever their number. A file that
was refused is tried last, so one that is never taken keeps no other from the bucket. The next try
comes after `EVERY_SECONDS`, then twice as long each time, `MOST_SECONDS` at most, and not before
the time for which the bucket asks to be left alone. Each failure is counted
(`aybiza_recording_upload_failures_total`), the first of a row is logged with its reason, and how
many files wait is told (`aybiza_recordings_waiting`). Once in an hour what is due is deleted from
the bucket. A node that stops leaves what waits to its next start.

Errors: none reach a call.
"""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import Any, Final

import structlog

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.recordings.bucket import Bucket, BucketError
from aybiza.actors.recordings.recordings_actor import TABLE, Recordings
from aybiza.actors.recordings.shelf import Shelf
from aybiza.actors.runtime import NORMAL, Exit, GenServer, Pid, Shutdown, Stop, Task

EVERY_SECONDS: Final = 5.0
MOST_SECONDS: Final = 300.0
LEFT_SECONDS: Final = 600.0
SWEEP_SECONDS: Final = 3600.0

log = structlog.get_logger(__name__)


class UploadsActor(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, shelf: Shelf, bucket: Bucket) -> None:
        self._shelf = shelf
        self._bucket = bucket
        self._known: set[str] = set()
        self._over: set[str] = set()
        self._refused: set[str] = set()
        self._worker: Pid | None = None
        self._wait = EVERY_SECONDS
        self._asked = 0.0
        self._failing = False
        self._waiting = 0
        self.send_after("look", EVERY_SECONDS)
        self.send_after("sweep", SWEEP_SECONDS)

    def get_state(self) -> Any:
        """For people: how many files wait, and whether the bucket takes them."""
        return {"waiting": self._waiting, "failing": self._failing}

    async def handle_info(self, message: Any) -> None:
        match message:
            case "look":
                busy = self._busy()
                self._over |= self._known - busy
                self._known = busy
                self._worker = Task.start(self.vm, self._put_all, busy, set(self._over)).pid
            case "sweep":
                Task.start(self.vm, self._sweep)
                self.send_after("sweep", SWEEP_SECONDS)
            case ("up", str(name), int(left)):
                self._over.discard(name)
                self._refused.discard(name)
                self._tell(left)
            case ("refused", str(name)):
                self._refused.add(name)
            case ("waiting", int(count), set(ready)):
                self._refused &= ready
                self._tell(count)
            case Exit(pid, reason) if pid == self._worker:
                self._worker = None
                self._done(reason)

    def _busy(self) -> set[str]:
        """The recordings of this node that are still written to."""
        table = self.vm.tables.get(TABLE)
        if not isinstance(table, Recordings):
            return set()
        return set(table.running) | {running.part.name for running, _ in table.batch}

    async def _put_all(self, busy: set[str], over: set[str]) -> None:
        """Put what is whole into the bucket; ends with the first that it does not take."""
        try:
            ready, owed = await self.vm.run_blocking(self._ready, busy, over)
            self.vm.send(self.pid, ("waiting", owed, {path.stem for path in ready}))
            for path in ready:
                self.vm.send(self.pid, ("refused", path.stem))
                await self.vm.run_blocking(self._put, path)
                owed -= 1
                self.vm.send(self.pid, ("up", path.stem, owed))
        except OSError as error:
            self._asked = error.wait if isinstance(error, BucketError) else 0.0
            raise Stop(Shutdown(str(error))) from None

    def _ready(self, busy: set[str], over: set[str]) -> tuple[list[Path], int]:
        """The files that are whole, oldest first, those that were refused last; how many there are
        with those that are not of this node's calls and may be."""
        left = time.time() - LEFT_SECONDS
        mine = [path for path in self._shelf.files() if path.stem not in busy]
        written = {path: _written(path) for path in mine}
        whole = [path for path in mine if path.stem in over or written[path] < left]
        whole.sort(key=lambda path: (path.stem in self._refused, written[path]))
        return whole, len(mine)

    def _put(self, path: Path) -> None:
        try:
            with path.open("rb") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._bucket.put(path)
                try:
                    path.unlink()
                except FileNotFoundError:
                    # The caller has been forgotten meanwhile.
                    self._bucket.delete(path.name)
        except (BlockingIOError, FileNotFoundError):
            # Another node of this folder puts it there or has done so, or it is forgotten.
            return

    def _tell(self, waiting: int) -> None:
        if waiting != self._waiting:
            self._waiting = waiting
            emit(self.vm, events.RECORDINGS_WAITING, waiting=waiting)

    def _done(self, reason: Any) -> None:
        if reason == NORMAL:
            if self._failing:
                log.info("recordings_uploaded_again", bucket=str(self._bucket.where))
            self._failing, self._wait = False, EVERY_SECONDS
        else:
            emit(self.vm, events.RECORDING_NOT_UP)
            if not self._failing:
                log.error("recordings_not_uploaded", reason=str(reason), waiting=self._waiting)
            self._failing, self._wait = True, min(2 * self._wait, MOST_SECONDS)
        self.send_after("look", max(self._wait, min(self._asked, MOST_SECONDS)))
        self._asked = 0.0

    async def _sweep(self) -> None:
        """Delete the objects whose time is up."""
        try:
            await self.vm.run_blocking(self._bucket.sweep, time.time())
        except OSError as error:
            log.error("bucket_not_swept", reason=str(error))


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return time.time()
