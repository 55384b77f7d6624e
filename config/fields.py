"""The kinds of values that a setting may hold, and how a setting is declared.

Each kind checks its value; what is allowed is said in words where the setting is declared, so that
a message can name it. Nothing here reads the environment.
"""

import ipaddress
import os
import re
import socket
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints
from pydantic_core import PydanticCustomError

from aybiza.config.placeholders import is_placeholder
from aybiza.config.plugs import CARRIERS, MEMORY_STORES

MAX_PORT = 65_535

PLACEHOLDER = "placeholder"
"""The kind of a validation error of a secret that is still to be set."""


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _network(value: str) -> str:
    return str(ipaddress.ip_network(value))


def _split(value: Any) -> Any:
    if isinstance(value, str):
        return tuple(part for part in (piece.strip() for piece in value.split(",")) if part)
    return value


def _visible(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("not visible ASCII")
    return value


def _no_placeholder(value: SecretStr) -> SecretStr:
    if is_placeholder(value.get_secret_value()):
        raise PydanticCustomError(
            PLACEHOLDER, "is still the placeholder of a shipped file: set it to your own secret"
        )
    return value


def _interface(value: str) -> str:
    return str(ipaddress.ip_address(value))


def _one_interface(value: str) -> str:
    address = ipaddress.IPv4Address(value)
    if address.is_unspecified:
        raise ValueError("no single interface")
    return str(address)


def _host_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not 0 < int(port) <= MAX_PORT:
        raise ValueError("not host:port")
    return value


def _own_namespace(value: str) -> str:
    if value.upper().startswith("AWS/"):
        raise ValueError("a namespace of AWS")
    return value


def _url(value: str) -> str:
    parts = urlsplit(value)
    if not (parts.hostname or parts.scheme == "unix"):
        raise ValueError("no host")
    _ = parts.port
    return value


def _own_password(value: str) -> str:
    if is_placeholder(unquote(urlsplit(value).password or "")):
        raise PydanticCustomError(
            PLACEHOLDER, "holds the placeholder of a shipped file: set it to your own secret"
        )
    return value


def _absolute(value: Path) -> Path:
    path = Path(os.path.expanduser(value))
    if not path.is_absolute():
        raise ValueError("not absolute")
    return path


def _stores(value: Any) -> Any:
    names = value.lower().split("+") if isinstance(value, str) else value
    if not names or len(set(names)) < len(names) or not MEMORY_STORES.keys() >= set(names):
        raise ValueError("not names of stores, each once")
    return tuple(names)


def _carrier(value: str) -> str:
    if value not in CARRIERS:
        raise ValueError("no carrier")
    return value


def is_loopback(host: str) -> bool:
    """Whether only this machine is reached at `host`, an address or a name, or comes from there."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return host.lower() == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def host_name() -> str:
    """This machine's name as a node name."""
    label = re.sub(r"[^A-Za-z0-9_-]+", "-", socket.gethostname().split(".")[0]).strip("-_")
    return label[:63] or "node"


def state_home() -> Path:
    """Where programs keep things between runs: in the home folder, else among temporary files."""
    path = Path(os.path.expanduser("~/.local/state"))
    return path if path.is_absolute() else Path(tempfile.gettempdir())


Text = Annotated[str, StringConstraints(min_length=1)]
Secret = Annotated[SecretStr, AfterValidator(_visible), AfterValidator(_no_placeholder)]
Region = Annotated[Text, StringConstraints(pattern=r"^[a-z]{2,}(-[a-z]+)+-[0-9]+\Z")]
ModelId = Annotated[
    Text,
    StringConstraints(pattern=r"^(arn:aws[a-z-]*:bedrock:.+|[a-z0-9-]+(\.[A-Za-z0-9:-]+)+)\Z"),
    StringConstraints(max_length=2048),
]
GuardrailVersion = Annotated[
    Text, StringConstraints(pattern=r"^\S{1,2048}:(DRAFT|[1-9][0-9]{0,7})\Z")
]
MetricsNamespace = Annotated[
    Text,
    StringConstraints(pattern=r"^[A-Za-z0-9._/#-]{1,255}\Z"),
    AfterValidator(_own_namespace),
]
Interface = Annotated[Text, AfterValidator(_interface)]
ClusterInterface = Annotated[Text, AfterValidator(_one_interface)]
Network = Annotated[Text, AfterValidator(_network)]
HostPort = Annotated[
    Text, StringConstraints(pattern=r"^[A-Za-z0-9._-]+:[0-9]+\Z"), AfterValidator(_host_port)
]
NodeName = Annotated[Text, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z")]
HttpUrl = Annotated[Text, StringConstraints(pattern=r"^https?://"), AfterValidator(_url)]
WebsocketUrl = Annotated[Text, StringConstraints(pattern=r"^wss?://"), AfterValidator(_url)]
PublicUrl = Annotated[
    Text, StringConstraints(pattern=r"^(https?|wss?)://[^?#]+\Z"), AfterValidator(_url)
]
RedisUrl = Annotated[
    Text,
    StringConstraints(pattern=r"^(rediss?|unix)://"),
    AfterValidator(_url),
    AfterValidator(_own_password),
]
MemoryStores = Annotated[tuple[str, ...], BeforeValidator(_stores)]
DynamoTable = Annotated[Text, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{3,255}\Z")]
Usd = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=6)]
AbsolutePath = Annotated[Path, AfterValidator(_absolute)]
CarrierName = Annotated[str, AfterValidator(_carrier)]
CommaSeparated = BeforeValidator(_split)
AnyCase = BeforeValidator(_lower)


def setting(
    variable: str, default: Any, allowed: str, about: str, *, hidden: bool = False, **rules: Any
) -> Any:
    """A field read from this variable; `about` says what it is for, `allowed` what it may hold.

    A `hidden` one is never shown. `rules` are those of pydantic's `Field`; with a default of
    `...`, one of them is the `default_factory`.
    """
    if default is not ...:
        rules["default"] = default
    return Field(
        validation_alias=variable,
        description=about,
        json_schema_extra={"allowed": allowed, "hidden": hidden},
        **rules,
    )


def number(variable: str, default: float, least: float, most: float, about: str) -> Any:
    """A setting with a number of the default's kind, both bounds included."""
    kind = "a number" if isinstance(default, float) else "a whole number"
    allowed = f"{kind} from {least} to {most}"
    return setting(variable, default, allowed, about, ge=least, le=most)


def money(variable: str, about: str) -> Any:
    """A setting with an amount in USD, unset by default."""
    return setting(variable, None, "an amount in USD above 0, such as 2.50", about)


def flag(variable: str, default: bool, about: str) -> Any:
    """A setting that is on or off."""
    return setting(variable, default, "true or false", about)


def secret(variable: str, about: str) -> Any:
    """A setting that is never shown, unset by default."""
    return setting(variable, None, "visible ASCII characters without spaces", about, hidden=True)
