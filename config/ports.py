"""Free ports, for what starts servers of its own: demonstration, benchmarks, tests."""

import socket


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `host` that nobody listens on now; somebody else may take it before it is used."""
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
    return port
