"""Twilio's side of the voice webhook: TwiML read, requests signed and posted.

`read_twiml` and `signature` are pure; `post` does the one request. Errors: `WebhookError`
says what could not be had or read.

Source: Twilio, "TwiML Voice", "Webhooks Security".
"""

import asyncio
import base64
import hashlib
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

import httpx

TIMEOUT_S: Final = 15.0
"""Twilio waits this long for an answer."""

RETRY_S: Final = 0.1


class WebhookError(Exception):
    """No usable TwiML was to be had."""


@dataclass(frozen=True, slots=True)
class ConnectStream:
    """`<Connect><Stream>`: connect the call to a media websocket until that ends."""

    url: str
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Redirect:
    """`<Redirect>`: ask this URL what to do next."""

    url: str


@dataclass(frozen=True, slots=True)
class Say:
    """`<Say>`: words in Twilio's own voice."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """`<Pause>`: nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hangup:
    """`<Hangup>`, or `<Reject>` with its reason: the call is over."""

    reason: str = ""


Verb = ConnectStream | Redirect | Say | Pause | Hangup


def read_twiml(document: str, base_url: str) -> list[Verb]:
    """The verbs of a TwiML document in order; relative addresses are taken from `base_url`."""
    try:
        root = ElementTree.fromstring(document.encode())
    except (ElementTree.ParseError, UnicodeEncodeError) as error:
        raise WebhookError(f"{base_url} answered what is not XML: {error}") from error
    if root.tag != "Response":
        raise WebhookError(f"{base_url} answered <{root.tag}>, not <Response>")
    return [_verb(element, base_url) for element in root]


def _verb(element: ElementTree.Element, base_url: str) -> Verb:
    text = (element.text or "").strip()
    match element.tag:
        case "Connect":
            return _connect(element, base_url)
        case "Redirect":
            return Redirect(urljoin(base_url, text))
        case "Say":
            return Say(text)
        case "Pause":
            length = element.get("length", "1")
            if length.isdecimal():
                return Pause(float(length))
            raise WebhookError(f"{base_url} answered <Pause length={length!r}>")
        case "Hangup":
            return Hangup()
        case "Reject":
            return Hangup(element.get("reason", "rejected"))
    raise WebhookError(f"{base_url} answered <{element.tag}>, which this phone does not know")


def _connect(element: ElementTree.Element, base_url: str) -> ConnectStream:
    stream = element.find("Stream")
    url = stream.get("url") if stream is not None else None
    if stream is None or not url:
        raise WebhookError(f"{base_url} answered <Connect> without a <Stream url>")
    parts = urlsplit(url)
    if not parts.scheme:
        scheme = "wss" if base_url.startswith("https:") else "ws"
        url = urlsplit(urljoin(base_url, url))._replace(scheme=scheme).geturl()
    elif parts.query or parts.scheme not in ("ws", "wss"):
        raise WebhookError(f"{base_url} answered <Stream url={url!r}>: wss only, without a query")
    parameters = {p.get("name", ""): p.get("value", "") for p in stream.findall("Parameter")}
    return ConnectStream(url, parameters)


def signature(auth_token: str, url: str, fields: Mapping[str, str] | None = None) -> str:
    """The X-Twilio-Signature of a POST of `fields` to `url`, or of a websocket to `url`."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted((fields or {}).items()))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


async def post(
    url: str,
    fields: Mapping[str, str],
    auth_token: str | None,
    patience_s: float = 0.0,
    tls: ssl.SSLContext | None = None,
) -> tuple[int, str]:
    """POST `fields` as Twilio does; returns the status and the body.

    While the connection is refused it tries again for `patience_s`: the part that a load
    balancer before the nodes plays. Raises `WebhookError`.
    """
    headers = {"user-agent": "TwilioProxy/1.1"}
    if auth_token:
        headers["x-twilio-signature"] = signature(auth_token, url, fields)
    deadline = asyncio.get_running_loop().time() + patience_s
    verify = True if tls is None else tls
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S, verify=verify) as client:
        while True:
            try:
                answer = await client.post(url, data=dict(fields), headers=headers)
                return answer.status_code, answer.text
            except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError) as error:
                if asyncio.get_running_loop().time() >= deadline:
                    raise WebhookError(f"cannot reach {url}: {error}") from error
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise WebhookError(f"cannot post to {url}: {error!r}") from error
            await asyncio.sleep(RETRY_S)
