"""What `aybiza run` makes of the settings before it starts this machine's nodes.

Errors: `MachineError`, with a message for people: a setting cannot be used.
"""

import ipaddress
import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import structlog

from aybiza.actors.node.channel import ChannelFailed, OutOfDate, Secrets
from aybiza.actors.node.cookie import CookieError, ensure_cookie
from aybiza.actors.node.messages import NodePlan, OwnCertificate
from aybiza.config.agents import AgentError
from aybiza.config.routes import load_routes

if TYPE_CHECKING:
    from aybiza.config.settings import Settings

MAX_NODES = 64

log = structlog.get_logger(__name__)


class MachineError(Exception):
    """The nodes cannot be started with such settings."""


def plans(settings: "Settings", nodes: str, *, shares: bool = False) -> list[NodePlan]:
    """The nodes of this machine: `nodes` is their number, or `auto` for one a core.

    Of several, each has a name of its own, and its doors one port behind those of the one before.
    Where they share doors (`shared_doors`), the first node's own come behind the settings' too.
    With isolation the one-call nodes follow, and their ports.
    """
    number = count(nodes)
    isolated = settings.isolated_calls if _isolates(settings) else 0
    if number > 1 or shares:
        planned = [_plan(settings, index, f"{index + 1}", shares) for index in range(number)]
    else:
        planned = [NodePlan(settings.node_name, {"AYBIZA_NODE_NAME": settings.node_name})]
    if isolated:
        setting = {"AYBIZA_ISOLATION": "process"}
        planned = [NodePlan(p.name, {**p.environment, **setting}) for p in planned]
    behind = number + shares
    return [*planned, *(_one_call(settings, behind, call) for call in range(isolated))]


def shared_doors(settings: "Settings") -> dict[str, tuple[str, int]]:
    """Where all nodes of the machine listen, if they share doors: at the settings' ports."""
    ports = {"http": settings.http_port, "media": settings.media_port}
    return {name: (settings.bind, port) for name, port in ports.items()}


def _isolates(settings: "Settings") -> bool:
    if settings.isolation == "process":
        return True
    try:
        routes = load_routes(settings.routes_file, settings.agent)
        return any(route.agent.isolation == "process" for route in routes)
    except AgentError:
        return False  # the node tells what is wrong with it


def _one_call(settings: "Settings", nodes: int, call: int) -> NodePlan:
    """The node of one call at a time. Twilio comes to its media door directly, so where there is a
    public URL this node has one of its own, with its port."""
    plan = _plan(settings, nodes + call, f"call-{call + 1}")
    environment = {
        **plan.environment,
        "AYBIZA_ISOLATION": "none",
        "AYBIZA_ONE_CALL": "true",
        "AYBIZA_MAX_CALLS": "1",
        "AYBIZA_AUDIOSOCKET_PORT": "",
    }
    port = environment.get("AYBIZA_MEDIA_PORT")
    if settings.public_url is not None and port is not None:
        parts = urlsplit(settings.public_url)
        environment["AYBIZA_PUBLIC_URL"] = f"{parts.scheme}://{_host(parts.hostname)}:{port}"
    return NodePlan(plan.name, environment, renews=True)


def _host(name: str | None) -> str:
    return f"[{name}]" if name and ":" in name else name or ""


def count(nodes: str) -> int:
    """The number that `--nodes` or `--cores` stands for."""
    if nodes == "auto":
        return min(MAX_NODES, len(os.sched_getaffinity(0)))
    if not (nodes.isdecimal() and 1 <= int(nodes) <= MAX_NODES):
        raise MachineError(
            f"--nodes or --cores {nodes!r}: must be a number from 1 to {MAX_NODES}, or auto"
        )
    return int(nodes)


def _plan(settings: "Settings", index: int, suffix: str, shares: bool = False) -> NodePlan:
    name = f"{settings.node_name}-{suffix}"
    environment = {"AYBIZA_NODE_NAME": name}
    ports = {
        "AYBIZA_HTTP_PORT": settings.http_port and settings.http_port + shares,
        "AYBIZA_MEDIA_PORT": settings.media_port and settings.media_port + shares,
        "AYBIZA_AUDIOSOCKET_PORT": settings.audio_socket_port,
    }
    environment |= {variable: str(port + index) for variable, port in ports.items() if port}
    return NodePlan(name, environment)


def seeds_of(settings: "Settings") -> list[tuple[str, int]]:
    """The machines to join. The nodes look their names up, and again for as long as they live."""
    seeds = [machine.rpartition(":") for machine in settings.join]
    return [(host, int(port)) for host, _, port in seeds]


def certificate_of(settings: "Settings", cookie: bytes) -> OwnCertificate | None:
    """The operator's certificate for the cluster, tried; None if there is none."""
    files = (settings.cluster_certificate, settings.cluster_key, settings.cluster_authority)
    certificate, key, authority = files
    if certificate is None or key is None or authority is None:
        return None
    own = OwnCertificate(certificate, key, authority)
    try:
        Secrets(cookie, own).try_out()
    except OutOfDate as error:
        # Its calls are worth more than its cluster.
        log.error("cluster_certificate_out_of_date", certificate=str(certificate), why=str(error))
    except (OSError, ValueError, ChannelFailed) as error:
        names = ", ".join(map(str, files))
        raise MachineError(
            f"the cluster's certificate ({names}) cannot be used: {error}; it has to be PEM, with"
            " its key, and signed by the authority"
        ) from None
    return own


def cookie_of(settings: "Settings") -> bytes:
    """The cluster's cookie, made if this is the first start."""
    if ipaddress.ip_address(settings.cluster_bind).is_global:
        log.warning("cluster_address_is_public", address=settings.cluster_bind)
    try:
        return ensure_cookie(settings.cookie_file)
    except CookieError as error:
        raise MachineError(str(error)) from None
