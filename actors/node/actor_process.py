"""What NodeKeeper and NodeActor share: a Thespian actor that fails fast and keeps its watch.

Thespian handles a message a second time when its handler raises and then carries on; it forgets
the watched descriptors whenever a handler returns none; it leaves the process with signal
handlers, a logging tree and a standard output that do not suit a supervised process. This class
puts each of these right.
"""

import logging
import os
import signal
import sys
from typing import Any

import structlog
from thespian.actors import Actor, ThespianWatch

from aybiza.actors.node.process import die_with_parent, restore_fatal_signals
from aybiza.config import logs

log = structlog.get_logger(__name__)

LOG_LIMIT = 0.5
"""Seconds that the last lines of the log get to be written."""

# Thespian replaces the logging tree of its processes by one that sends records as messages, which
# must not happen on any thread but the actor's. Kept here when the module is imported, before
# there is an actor system.
_root = logging.root
_manager = logging.Logger.manager


def _restore_logging() -> None:
    logging.root = _root
    logging.Logger.root = _root
    logging.Logger.manager = _manager


class ActorProcess(Actor):  # type: ignore[misc]
    """An actor of a process of its own, which ends when a message cannot be handled.

    A subclass has `handle` for messages and `watched` for descriptors.
    """

    def __init__(self) -> None:
        super().__init__()
        die_with_parent()
        restore_fatal_signals()
        # A terminal's Ctrl-C and hang-up are for the command, which ends the node in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        _restore_logging()
        # Standard output belongs to the command and its one line; what a node prints goes with the
        # log.
        os.dup2(2, 1)
        sys.stdout = sys.stderr

    def receiveMessage(self, message: Any, sender: Any) -> Any:
        """Thespian's entry."""
        try:
            self.handle(message, sender)
            return ThespianWatch(self.watched())
        except Exception:
            log.exception("actor_failed", actor=type(self).__name__, message=type(message).__name__)
            leave(os.EX_SOFTWARE)

    def handle(self, message: Any, sender: Any) -> None:
        """Handle one message. An exception ends the process."""
        raise NotImplementedError

    def watched(self) -> list[int]:
        """The descriptors whose readability arrives as a WatchMessage."""
        raise NotImplementedError


def leave(code: int) -> None:
    """End this process now: no exit handlers, no waiting for threads."""
    logs.stop(LOG_LIMIT)
    os._exit(code)
