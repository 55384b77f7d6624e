"""Twilio's side of the voice webhook: TwiML read, requests signed and posted.

`read_twiml` and `signature` are pure; `post` does the one request. Errors: `WebhookError`
says what could not be had or read.

Source: Twilio, "TwiML Voice", "Webhooks Security".
"""

import asyncio
import base64
import functools
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
    """`<Connect><Stream>`: connect the call to a media websocket until that ends.

    `action`: whom to ask then; "" for the next verb.
    """

    url: str
    parameters: Mapping[str, str]
    action: str = ""


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


@dataclass(frozen=True, slots=True)
class Play:
    """`<Play>`: a recording by its address, or keys."""

    what: str


@dataclass(frozen=True, slots=True)
class Dial:
    """`<Dial>`: connect the caller to `number`; then ask `action`, or go on without one.

    `whisper`: asked for what the person who answers hears before that.
    """

    number: str
    action: str = ""
    timeout_s: float = 30.0
    whisper: str = ""


@dataclass(frozen=True, slots=True)
class Gather:
    """`<Gather>`: say the prompts, wait for keys, and ask `action` with them.

    `digits`: how many end it, 0 for those up to `#`.
    """

    action: str
    prompts: tuple[str, ...] = ()
    digits: int = 0
    timeout_s: float = 5.0


Verb = ConnectStream | Redirect | Say | Pause | Play | Dial | Gather | Hangup


def read_twiml(document: str, base_url: str) -> list[Verb]:
    """The verbs of a TwiML document in order; relative addresses are taken from `base_url`."""
    try:
        root = ElementTree.fromstring(document.encode())
    except (ElementTree.ParseError, UnicodeEncodeError, LookupError) as error:
        raise WebhookError(f"{base_url} answered what is not XML: {error}") from error
    if root.tag != "Response":
        raise WebhookError(f"{base_url} answered <{root.tag}>, not <Response>")
    try:
        return [_verb(element, base_url) for element in root]
    except ValueError as error:  # an address that is none
        raise WebhookError(f"{base_url} answered an address that cannot be read: {error}") from None


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
            return Pause(_seconds(element, "length", "1", base_url))
        case "Play":
            return Play(text or f"keys {element.get('digits', '')}")
        case "Dial":
            return _dial(element, text, base_url)
        case "Gather":
            return _gather(element, base_url)
        case "Hangup":
            return Hangup()
        case "Reject":
            return Hangup(element.get("reason", "rejected"))
    raise WebhookError(f"{base_url} answered <{element.tag}>, which this phone does not know")


def _seconds(element: ElementTree.Element, name: str, default: str, base_url: str) -> float:
    value = element.get(name, default)
    if value.isdecimal():
        return float(value)
    raise WebhookError(f"{base_url} answered <{element.tag} {name}={value!r}>")


def _dial(element: ElementTree.Element, text: str, base_url: str) -> Dial:
    inner = next((e for e in element if e.tag in ("Number", "Sip", "Client", "Conference")), None)
    number = text or ((inner.text or "").strip() if inner is not None else "")
    if not number:
        raise WebhookError(f"{base_url} answered <Dial> without anybody to dial")
    action = element.get("action", "")
    timeout_s = _seconds(element, "timeout", "30", base_url)
    url = inner.get("url", "") if inner is not None else ""
    whisper = urljoin(base_url, url) if url else ""
    return Dial(number, urljoin(base_url, action) if action else "", timeout_s, whisper)


def _gather(element: ElementTree.Element, base_url: str) -> Gather:
    for nested in element:
        if nested.tag not in ("Say", "Play", "Pause"):
            raise WebhookError(f"{base_url} answered <Gather> with <{nested.tag}> in it")
    digits = element.get("numDigits", "0")
    if not digits.isdecimal():
        raise WebhookError(f"{base_url} answered <Gather numDigits={digits!r}>")
    return Gather(
        urljoin(base_url, element.get("action", base_url)),
        tuple((e.text or "").strip() for e in element if e.tag == "Say"),
        int(digits),
        _seconds(element, "timeout", "5", base_url),
    )


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
    action = element.get("action", "")
    return ConnectStream(url, parameters, urljoin(base_url, action) if action else "")


def signature(auth_token: str, url: str, fields: Mapping[str, str] | None = None) -> str:
    """The X-Twilio-Signature of a POST of `fields` to `url`, or of a websocket to `url`."""
    signed = url + "".join(f"{name}{value}" for name, value in sorted((fields or {}).items()))
    digest = hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode("ascii")


@functools.cache
def _trusted() -> ssl.SSLContext:
    """The usual authorities; to read them takes longer than a call's audio may wait."""
    return httpx.create_ssl_context(trust_env=False)


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
    verify = tls or (_trusted() if url.startswith("https:") else False)
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
