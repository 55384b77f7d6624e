"""What `aybiza run` makes of the settings before it starts this machine's nodes.

Errors: `MachineError`, with a message for people and the command's exit code.
"""

import ipaddress
import os
import socket
from typing import TYPE_CHECKING

import structlog

from actors.node.cookie import CookieError, ensure_cookie
from actors.node.messages import NodePlan
from console.setup import USAGE_ERROR

if TYPE_CHECKING:
    from config.settings import Settings

MAX_NODES = 64
FAILED = 1

log = structlog.get_logger(__name__)


class MachineError(Exception):
    """The nodes cannot be started; `code` is the exit code."""

    def __init__(self, text: str, code: int = USAGE_ERROR) -> None:
        super().__init__(text)
        self.code = code


def plans(settings: "Settings", nodes: str) -> list[NodePlan]:
    """The nodes of this machine: `nodes` is their number, or `auto` for one a core.

    Of several, each has a name of its own, and its doors one port behind those of the one before.
    """
    number = count(nodes)
    if number == 1:
        return [NodePlan(settings.node_name, {"AYBIZA_NODE_NAME": settings.node_name})]
    return [_plan(settings, index) for index in range(number)]


def count(nodes: str) -> int:
    """The number that `--nodes` stands for."""
    if nodes == "auto":
        return min(MAX_NODES, len(os.sched_getaffinity(0)))
    if not (nodes.isdecimal() and 1 <= int(nodes) <= MAX_NODES):
        raise MachineError(f"--nodes {nodes!r}: must be a number from 1 to {MAX_NODES}, or auto")
    return int(nodes)


def _plan(settings: "Settings", index: int) -> NodePlan:
    name = f"{settings.node_name}-{index + 1}"
    environment = {"AYBIZA_NODE_NAME": name}
    ports = {"AYBIZA_HTTP_PORT": settings.http_port, "AYBIZA_MEDIA_PORT": settings.media_port}
    environment |= {variable: str(port + index) for variable, port in ports.items() if port}
    return NodePlan(name, environment)


def seeds_of(settings: "Settings") -> list[tuple[str, int]]:
    """The machines to join; each name must be known now."""
    seeds = []
    for machine in settings.join:
        host, _, port = machine.rpartition(":")
        try:
            socket.getaddrinfo(host, int(port), socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            raise MachineError(
                f"--join {machine}: the name {host!r} cannot be resolved ({error.strerror})", FAILED
            ) from None
        seeds.append((host, int(port)))
    return seeds


def cookie_of(settings: "Settings") -> bytes:
    """The cluster's cookie, made if this is the first start."""
    if ipaddress.ip_address(settings.cluster_bind).is_global:
        log.warning("cluster_address_is_public", address=settings.cluster_bind)
    try:
        return ensure_cookie(settings.cookie_file)
    except CookieError as error:
        raise MachineError(str(error), FAILED) from None
