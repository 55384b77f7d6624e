"""What commands do with the ledger of placed calls: forget a number, whoever has the file.

    told = forgotten(settings, "+14155552671")      told.attempts, told.going_on

The file stands beside the memory. Where a node has it, that node is asked: it would go on with what
it knows. Else it is opened here.

Errors: `OSError` with a text for people.
"""

from __future__ import annotations

import sqlite3
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aybiza.actors.outbound.attempt_store import Forgotten
    from aybiza.config.settings import Settings

ASK_SECONDS = 30.0


def forgotten(settings: Settings, number: str) -> Forgotten:
    """See the module; nothing where nothing was ever placed."""
    from aybiza.actors.outbound.attempt_store import FILE, AttemptStore, Forgotten, StoreTaken

    path = settings.memory_path.with_name(FILE)
    if not path.exists():
        return Forgotten(0, [])
    store = AttemptStore(path, days=settings.retention_days)
    try:
        store.open(time.time())
        return store.forget(number)
    except StoreTaken:
        return _by_node(settings, number)
    except sqlite3.Error as error:
        raise OSError(f"{path}: {error}") from None
    finally:
        store.close()


def _by_node(settings: Settings, number: str) -> Forgotten:
    from aybiza.actors.node.client import NodeError, ask_node
    from aybiza.actors.node.cookie import CookieError, read_cookie
    from aybiza.actors.outbound.attempt_store import Forgotten

    request = {"op": "outbound", "do": "forget", "number": number}
    try:
        answer: dict[str, Any] = ask_node(
            settings.cluster_port,
            request,
            ASK_SECONDS,
            cookie=read_cookie(settings.cookie_file),
            address=settings.cluster_bind,
        )
    except (CookieError, NodeError) as error:
        raise OSError(f"the node that places calls cannot be asked: {error}") from None
    if "refused" in answer:
        raise OSError(str(answer["words"]))
    return Forgotten(int(answer["forgotten"]), list(answer["going_on"]))
