"""Settings of a node in its cluster: its name, its limits, where it keeps what it knows."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, model_validator
from pydantic_settings import NoDecode

from aybiza.config.fields import (
    AbsolutePath,
    AnyCase,
    ClusterInterface,
    CommaSeparated,
    DynamoTable,
    HostPort,
    HttpUrl,
    MemoryStores,
    NodeName,
    RedisUrl,
    flag,
    host_name,
    number,
    setting,
    state_home,
)
from aybiza.config.plugs import MEMORY_STORES
from aybiza.config.tables import GROUP


class NodeSettings(BaseModel):
    """The node."""

    model_config = GROUP

    node_name: NodeName = setting(
        "AYBIZA_NODE_NAME",
        ...,
        "letters, digits, - and _, at most 63, beginning with a letter or digit",
        "Name of this node in the cluster; default: the machine's host name.",
        default_factory=host_name,
    )
    cluster_port: int = number(
        "AYBIZA_CLUSTER_PORT", 1900, 1, 65535, "Port at which other machines reach this one."
    )
    cluster_bind: ClusterInterface = setting(
        "AYBIZA_CLUSTER_BIND",
        "127.0.0.1",
        "the IPv4 address of one interface of this machine",
        "Interface of the actor system; other machines reach the nodes there.",
    )
    cluster_carrier: Annotated[Literal["stream", "thespian"], AnyCase] = setting(
        "AYBIZA_CLUSTER_CARRIER",
        "stream",
        "stream or thespian",
        "What carries between nodes: TLS streams, or Thespian; the same in all of a cluster.",
    )
    cluster_certificate: AbsolutePath | None = setting(
        "AYBIZA_CLUSTER_CERTIFICATE",
        None,
        "an absolute path of a file",
        "Certificate that nodes show each other, in PEM; unset: one made from the cookie.",
    )
    cluster_key: AbsolutePath | None = setting(
        "AYBIZA_CLUSTER_KEY",
        None,
        "an absolute path of a file",
        "Key of that certificate, in PEM, without a password.",
    )
    cluster_authority: AbsolutePath | None = setting(
        "AYBIZA_CLUSTER_AUTHORITY",
        None,
        "an absolute path of a file",
        "Certificate of those who must have signed the other nodes' certificates, in PEM.",
    )
    join: Annotated[tuple[HostPort, ...], NoDecode, CommaSeparated] = setting(
        "AYBIZA_JOIN",
        (),
        "host:port of other machines' actor systems, separated by commas",
        "Machines whose nodes form the cluster; one that lives is enough.",
    )
    max_calls: int = number("AYBIZA_MAX_CALLS", 100, 1, 10_000, "Calls at a time on this node.")
    isolation: Annotated[Literal["none", "process"], AnyCase] = setting(
        "AYBIZA_ISOLATION",
        "none",
        "none or process",
        "Whether `aybiza run` gives each call a node (an OS process) of its own.",
    )
    isolated_calls: int = number(
        "AYBIZA_ISOLATED_CALLS",
        4,
        1,
        64,
        "Calls at a time on this machine that have nodes of their own.",
    )
    one_call: bool = flag(
        "AYBIZA_ONE_CALL",
        False,
        "Whether the node ends after one call; `aybiza run` sets it for those nodes.",
    )
    max_loop_lag_ms: int = number(
        "AYBIZA_MAX_LOOP_LAG_MS",
        250,
        10,
        10_000,
        "Mean lateness of the event loop at which the node takes no further call.",
    )
    max_memory_mb: int = number(
        "AYBIZA_MAX_MEMORY_MB",
        4096,
        64,
        1_048_576,
        "Memory of the node's process at which it takes no further call.",
    )
    drain_seconds: int = number(
        "AYBIZA_DRAIN_SECONDS",
        0,
        0,
        14_400,
        "Seconds that calls get to come to their end before a node that stops hands them over.",
    )
    allow_faults: bool = flag(
        "AYBIZA_ALLOW_FAULTS",
        False,
        "Whether `aybiza faults run --live` may break this node; `aybiza run --allow-faults`.",
    )
    emulated: bool = flag(
        "AYBIZA_EMULATED",
        False,
        "Whether the node's providers are emulators; `aybiza run --emulated` sets it.",
    )
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
    memory: Annotated[MemoryStores, NoDecode] = setting(
        "AYBIZA_MEMORY",
        ("sqlite",),
        f"{' or '.join(MEMORY_STORES)}, or several joined by +, the fastest first",
        "Where journals of calls are kept; in redis and dynamodb they outlive the machine.",
    )
    dynamodb_table: DynamoTable = setting(
        "AYBIZA_DYNAMODB_TABLE",
        "conversations",
        "3 to 255 letters, digits, -, _ and .",
        "DynamoDB's table of the conversation memory; `aybiza calls table` makes it.",
    )
    dynamodb_url: HttpUrl | None = setting(
        "AWS_ENDPOINT_URL_DYNAMODB",
        None,
        "a URL beginning with http:// or https://",
        "DynamoDB's address; unset: Amazon's own.",
    )
    retention_days: int = number(
        "AYBIZA_RETENTION_DAYS",
        30,
        0,
        3650,
        "Days after which a call is deleted from the memory, unless its agent says so; 0: never.",
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
        "a URL such as redis://host:6379/0, unix://…, or rediss://:password@host:6379/0, with"
        " ?ssl_ca_certs=/path for an authority of your own",
        "Redis server: what nodes count together, and the conversation memory if it is kept there.",
        repr=False,
    )

    @model_validator(mode="after")
    def _redis_is_named(self) -> Self:
        if "redis" in self.memory and self.redis_url is None:
            raise ValueError("AYBIZA_MEMORY names redis: set REDIS_URL")
        return self

    @model_validator(mode="after")
    def _cluster_certificate_is_whole(self) -> Self:
        own = (self.cluster_certificate, self.cluster_key, self.cluster_authority)
        if None in own and any(own):
            raise ValueError(
                "AYBIZA_CLUSTER_CERTIFICATE, AYBIZA_CLUSTER_KEY and AYBIZA_CLUSTER_AUTHORITY:"
                " set all of them or none"
            )
        return self
