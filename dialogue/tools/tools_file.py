"""What stands in a tools' file: the tables of `aybiza.dialogue.tools.catalogue`, checked.

Contract: `ToolsFile.model_validate(table)` takes what `tomllib` reads; unknown members are errors.
Errors: pydantic's `ValidationError`; `ValueError` from `auth` for a secret that is not set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, model_validator

from aybiza.config.tables import LENIENT
from aybiza.dialogue.tools import http_auth
from aybiza.dialogue.tools.http_api import HttpApi
from aybiza.dialogue.tools.http_params import cookie_header

Environment = Mapping[str, str]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*\Z")]
Word = Annotated[str, Field(min_length=1, max_length=200)]


Domain = Annotated[
    str, Field(pattern=r"^(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z")
]


class _Table(BaseModel):
    model_config = LENIENT


def _secret(environment: Environment, variable: str | None) -> str:
    value = environment.get(variable or "", "")
    if not value:
        raise ValueError(f"the environment variable {variable} is not set")
    return value


class AuthTable(_Table):
    """Who asks. Of `bearer`, `basic_user`, `api_key` and `client_id` at most one; what is secret is
    the name of an environment variable."""

    bearer: Variable | None = None
    basic_user: Word | None = None
    basic_password: Variable | None = None
    api_key: Variable | None = None
    name: Word = "X-Api-Key"
    where: Literal["header", "query"] = "header"
    client_id: Word | None = None
    client_secret: Variable | None = None
    token_url: Word | None = None
    scope: str = ""

    @model_validator(mode="after")
    def _is_one(self) -> AuthTable:
        given = [k for k in ("bearer", "basic_user", "api_key", "client_id") if getattr(self, k)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} do not go together")
        if self.basic_user and not self.basic_password:
            raise ValueError("basic_user needs basic_password")
        if self.client_id and not (self.client_secret and self.token_url):
            raise ValueError("client_id needs client_secret and token_url")
        return self

    def auth(self, environment: Environment) -> http_auth.Auth:
        """What signs the requests. Raises ValueError for a variable that is not set."""

        secret = partial(_secret, environment)
        if self.bearer:
            return http_auth.bearer(secret(self.bearer))
        if self.basic_user:
            return http_auth.basic(self.basic_user, secret(self.basic_password))
        if self.api_key:
            return http_auth.api_key(self.name, secret(self.api_key), self.where)
        if self.client_id:
            return http_auth.ClientCredentials(
                self.token_url or "", self.client_id, secret(self.client_secret), self.scope
            )
        return http_auth.anonymous()


class _Api(_Table):
    base_url: Word
    auth: AuthTable = AuthTable()
    headers: dict[str, str] = {}

    def api(self, environment: Environment) -> HttpApi:
        """The client. Raises ValueError."""
        return HttpApi(self.base_url, auth=self.auth.auth(environment), headers=self.headers)


class CrmTable(_Api):
    """A business system with the paths of `aybiza.dialogue.tools.crm.HttpCrm`."""


class ConnectorTable(_Api):
    """See `aybiza.dialogue.tools.connectors`. `cookies`: their names, and for each the environment
    variable with its value; they go with every request."""

    openapi: str | None = None
    operations: list[dict[str, Any]] | None = None
    only: list[str] | None = None
    effects: dict[str, str] = {}
    seconds: float | None = None
    cookies: dict[Word, Variable] = {}

    def api(self, environment: Environment) -> HttpApi:
        """The client. Raises ValueError."""
        given = {name: _secret(environment, variable) for name, variable in self.cookies.items()}
        headers = {**self.headers, **({"Cookie": cookie_header(given)} if given else {})}
        return HttpApi(self.base_url, auth=self.auth.auth(environment), headers=headers)


class HeaderTable(_Table):
    """Who asks, told by one header: `bearer`, or `api_key` under `name`; names of environment
    variables."""

    bearer: Variable | None = None
    api_key: Variable | None = None
    name: Word = "X-Api-Key"

    def headers(self, environment: Environment) -> dict[str, str]:
        """The header. Raises ValueError for a variable that is not set."""
        given = AuthTable(bearer=self.bearer, api_key=self.api_key, name=self.name)
        made = given.auth(environment)
        return dict(made.always.headers) if isinstance(made, http_auth.Fixed) else {}


class McpTable(_Table):
    """See `aybiza.dialogue.tools.mcp_tools`. Either a `command` or a `url`."""

    command: Word | None = None
    args: list[str] = []
    env: dict[Variable, Variable] = {}
    url: Annotated[str, Field(pattern=r"^https?://[^\s@?#]{1,2000}\Z")] | None = None
    headers: dict[str, str] = {}
    auth: HeaderTable = HeaderTable()
    only: list[Word] | None = None
    reads: list[Word] = []
    seconds: Annotated[float, Field(gt=0, le=9)] = 5.0

    @model_validator(mode="after")
    def _is_one(self) -> McpTable:
        if (self.command is None) == (self.url is None):
            raise ValueError("give either command or url")
        return self


class KnowledgeTable(_Table):
    """A folder of documents, or an index of Kendra."""

    folder: str | None = None
    kendra_index: Word | None = None

    @model_validator(mode="after")
    def _is_one(self) -> KnowledgeTable:
        if (self.folder is None) == (self.kendra_index is None):
            raise ValueError("give either folder or kendra_index")
        return self


class PythonTable(_Table):
    """See `aybiza.dialogue.tools.python_tools`."""

    file: Word
    attribute: Word = "TOOLS"


class DestinationTable(_Table):
    """See `aybiza.dialogue.tools.transfer.Destination`."""

    number: Word
    description: str = ""


class MailTable(_Table):
    """See `aybiza.dialogue.tools.mail`. Without `domains` there is no tool."""

    sender: Word
    domains: list[Domain] = []


class CodeTable(_Table):
    """See `aybiza.dialogue.tools.code_execution`."""

    function: Word
    languages: list[Word] = ["python"]


_MEMBERS: dict[str, type[BaseModel]] = {
    "crm": CrmTable,
    "knowledge": KnowledgeTable,
    "transfer": DestinationTable,
    "mail": MailTable,
    "code": CodeTable,
    "connectors": ConnectorTable,
    "python": PythonTable,
    "mcp": McpTable,
}


def members_at(place: Sequence[str | int]) -> list[str]:
    """The members that the table at this place of the file may have."""
    if not place:
        return list(ToolsFile.model_fields)
    if place[-1] == "auth":
        return list(AuthTable.model_fields)
    return list(_MEMBERS[str(place[0])].model_fields)


class ToolsFile(_Table):
    """The whole file."""

    crm: CrmTable | None = None
    knowledge: KnowledgeTable | None = None
    transfer: dict[str, DestinationTable] = {}
    mail: MailTable | None = None
    code: CodeTable | None = None
    connectors: dict[str, ConnectorTable] = {}
    python: dict[Variable, PythonTable] = {}
    mcp: dict[Variable, McpTable] = {}
