"""Files and folders that hold what was said or what opens a door: their owner's alone.

    private_folder(path)            made with mode 0700, missing parents too
    private_file(path)              made empty with mode 0600; one of ours that is open is closed
    check_private(path)             one that is there already: whose it is
    with in_turn(folder): …         processes that share the folder's files take turns
    taken(path)                     a file for one process at a time: the lock beside it
    is_at(path, inode)              whether the file that was opened is still the one at `path`

A file that another user has put in our place would be read by them, and a link would lead our words
elsewhere; so both are refused. A folder that others may write to is refused as well, unless it is
sticky (as `/tmp` is): they could put their own file in the place of ours. For threads: all of it
waits for the disk.

Errors: `PrivateFileError`, an `OSError` whose text is for people.
Source: open(2), inode(7).
"""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FILE_MODE: Final = 0o600
FOLDER_MODE: Final = 0o700
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class PrivateFileError(OSError):
    """A file or folder that is not ours alone; the text says why and what to do."""

    def __init__(self, text: str) -> None:
        super().__init__(errno.EPERM, text)

    def __str__(self) -> str:
        return str(self.strerror)


def private_folder(path: Path) -> None:
    """Have the folder; what is missing of it is made for its owner alone."""
    missing = []
    place = path
    while not place.exists() and place != place.parent:
        missing.append(place)
        place = place.parent
    for folder in reversed(missing):
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    status = path.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise PrivateFileError(f"{path} is not a folder")
    if status.st_uid not in (os.geteuid(), 0):
        raise PrivateFileError(
            f"the folder {path} belongs to another user (uid {status.st_uid}):"
            " give it to the node's own user, or name another folder"
        )
    if status.st_mode & _OTHERS_WRITE and not status.st_mode & stat.S_ISVTX:
        raise PrivateFileError(
            f"others may write to the folder {path} (mode {status.st_mode & 0o777:04o});"
            f" close it with: chmod go-w {path}"
        )


def private_file(path: Path) -> None:
    """Have the file, in a folder as above, for its owner alone."""
    private_folder(path.parent)
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(path, flags, FILE_MODE))
    except FileExistsError:
        check_private(path)


def check_private(path: Path) -> None:
    """Refuse a file that is not ours, and close one of ours that is open to others."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise PrivateFileError(f"{path} is a link: name the file itself") from None
        raise
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PrivateFileError(f"{path} is not a file")
        if status.st_uid != os.geteuid():
            raise PrivateFileError(
                f"the file {path} belongs to another user (uid {status.st_uid}), who may read what"
                " is written to it: remove it, or give it to the node's own user"
            )
        if status.st_mode & 0o077:
            os.fchmod(descriptor, FILE_MODE)
    finally:
        os.close(descriptor)


@contextmanager
def in_turn(folder: Path) -> Iterator[None]:
    """Have what is done to the folder's files for oneself; a process that dies gives it back."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def taken(path: Path) -> int | None:
    """The descriptor of the lock beside `path`, which this process has until it is closed or the
    process ends; None: another has it."""
    lock = path.with_name(f"{path.name}.lock")
    private_file(lock)
    descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def is_at(path: Path, inode: int) -> bool:
    """Whether the file that was opened still bears this name: it may have been deleted or renamed,
    and who goes on with it writes what nobody will find."""
    try:
        return path.stat().st_ino == inode
    except OSError:
        return False
