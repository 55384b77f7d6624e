"""Settings of a node in its cluster: its name, its limits, where it keeps what it knows."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel
from pydantic_settings import NoDecode

from config.fields import (
    AbsolutePath,
    ClusterInterface,
    CommaSeparated,
    HostPort,
    NodeName,
    RedisUrl,
    host_name,
    number,
    setting,
    state_home,
)


class NodeSettings(BaseModel):
    """The node."""

    node_name: NodeName = setting(
        "AYBIZA_NODE_NAME",
        ...,
        "letters, digits, - and _, at most 63, beginning with a letter or digit",
        "Name of this node in the cluster; default: the machine's host name.",
        default_factory=host_name,
    )
    cluster_port: int = number(
        "AYBIZA_CLUSTER_PORT", 1900, 1, 65535, "Port of this machine's Thespian admin."
    )
    cluster_bind: ClusterInterface = setting(
        "AYBIZA_CLUSTER_BIND",
        "127.0.0.1",
        "the IPv4 address of one interface of this machine",
        "Interface of the actor system; other machines reach the nodes there.",
    )
    join: Annotated[tuple[HostPort, ...], NoDecode, CommaSeparated] = setting(
        "AYBIZA_JOIN",
        (),
        "host:port of other machines' actor systems, separated by commas",
        "Machines whose nodes form the cluster; one that lives is enough.",
    )
    max_calls: int = number("AYBIZA_MAX_CALLS", 100, 1, 10_000, "Calls at a time on this node.")
    mailbox_alarm: int = number(
        "AYBIZA_MAILBOX_ALARM",
        10_000,
        10,
        1_000_000,
        "Messages waiting for one process at which the log names it.",
    )
    state_home: AbsolutePath = setting(
        "XDG_STATE_HOME",
        ...,
        "an absolute path of a folder",
        "Folder of what programs keep between runs.",
        default_factory=state_home,
    )
    memory_path: AbsolutePath = setting(
        "AYBIZA_MEMORY_PATH",
        ...,
        "an absolute path of a file (~ is your home folder)",
        "SQLite file of the conversation memory.",
        default_factory=lambda data: (
            data.get("state_home", Path("/")) / "aybiza" / "memory.sqlite3"
        ),
    )
    cookie_file: AbsolutePath = setting(
        "AYBIZA_COOKIE_FILE",
        ...,
        "an absolute path of a file",
        "File with the cluster's cookie; made with mode 0600 if there is none.",
        default_factory=lambda data: data.get("state_home", Path("/")) / "aybiza" / "cookie",
    )
    redis_url: RedisUrl | None = setting(
        "REDIS_URL",
        None,
        "a URL such as redis://host:6379/0, rediss://… or unix://…",
        "Redis server of the shared conversation memory.",
        repr=False,
    )
