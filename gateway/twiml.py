"""TwiML, the answers to Twilio's voice webhook: pure functions from values to XML text.

Every function returns a whole document. `ValueError` says which argument cannot be written:
a stream address that Twilio would refuse, a parameter too long, a character that XML cannot
hold. Parameters may be secret: an error names them, never their values.

Source: Twilio, "TwiML Voice": `<Connect>`, `<Stream>`, `<Redirect>`, `<Say>`, `<Dial>`, `<Reject>`.
"""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

CONTENT_TYPE: Final = "text/xml; charset=utf-8"
"""The media type of all answers here."""

MAX_PARAMETER_CHARS: Final = 500
"""Twilio takes a `<Parameter>` whose name and value together stay under this length."""

HOLD_SECONDS: Final = (4, 3)
"""Together long enough for a provider to come back, and for who asked it often to ask it again;
each no longer than a silence may be."""

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def connect_stream(
    url: str,
    parameters: Mapping[str, str],
    redirect_url: str,
    attributes: Mapping[str, str] = _NONE,
    words: str = "",
) -> str:
    """Connect the call to the media websocket at `url`; when the stream ends, ask again.

    `url` is `wss://…` (`ws://…` for a loopback node) without query and fragment: Twilio strips
    a query, which is why data travels in `parameters`; they arrive in the `start` message.
    Twilio runs `<Redirect>` when the websocket is gone for whatever reason, with the same
    CallSid; the answer to that request then says whether the call goes on. `attributes` are what a
    carrier with a dialect of TwiML has on `<Stream>` beside it; `words` hold the caller before, in
    its own voice, said again after each of `HOLD_SECONDS`.
    """
    _check_stream_url(url)
    stream = "".join(
        f" {name}={_attribute(value, name)}" for name, value in {"url": url, **attributes}.items()
    )
    inner = "".join(_parameter(name, value) for name, value in parameters.items())
    return _document(
        f"{_held(words)}<Connect><Stream{stream}>{inner}</Stream></Connect>"
        f"<Redirect>{_text(redirect_url, 'redirect_url')}</Redirect>"
    )


def redirect(url: str, fallback_url: str) -> str:
    """Have the call asked for at `url`, another node's webhook.

    Twilio does not come back from a `<Redirect>` it could follow; `fallback_url` stands behind it
    for a carrier that goes on where it could not, as Twilio does with a number's fallback URL.
    """
    return _document(
        f"<Redirect>{_text(url, 'url')}</Redirect>"
        f"<Redirect>{_text(fallback_url, 'fallback_url')}</Redirect>"
    )


def wait(seconds: int, url: str) -> str:
    """Hold the caller in silence for so long, then ask at `url`."""
    return _document(f'<Pause length="{seconds}"/><Redirect>{_text(url, "url")}</Redirect>')


def say_hangup(text: str) -> str:
    """Say `text` in Twilio's own voice, then hang up; for when no agent can."""
    return _document(f"<Say>{_text(text, 'text')}</Say><Hangup/>")


def last_words(text: str, number: str | None) -> str:
    """Say `text`, if there is any, in Twilio's own voice; then call `number`, or hang up."""
    said = _said(text)
    then = f"<Dial>{_text(number, 'number')}</Dial>" if number else "<Hangup/>"
    return _document(said + then)


def dial(number: str, action: str, *, seconds: int, caller_id: str = "", whisper: str = "") -> str:
    """Put the caller through to `number`, E.164 or a SIP address, and then ask `action`.

    It rings for `seconds` there, and shows `caller_id` where there is one. `whisper`: asked for
    what is said to the person before the two are connected.
    """
    attributes = {"action": action, "timeout": str(seconds)}
    attributes |= {"callerId": caller_id} if caller_id else {}
    given = "".join(f" {name}={_attribute(value, name)}" for name, value in attributes.items())
    url = f" url={_attribute(whisper, 'whisper')}" if whisper else ""
    noun = "Sip" if number.startswith("sip") else "Number"
    whom = f"<{noun}{url}>{_text(number, 'number')}</{noun}>"
    return _document(f"<Dial{given}>{whom}</Dial>")


def say(text: str) -> str:
    """Say `text`, if there is any, and go on."""
    return _document(_said(text))


def nothing() -> str:
    """Go on."""
    return _document("")


def ask_key(texts: Sequence[str], url: str, seconds: int) -> str:
    """Say the texts, wait so long for any key and tell it at `url`; without one, hang up."""
    said = "".join(map(_said, texts))
    attributes = f'action={_attribute(url, "url")} numDigits="1" timeout="{seconds}"'
    return _document(f"<Gather {attributes}>{said}</Gather><Hangup/>")


def hangup() -> str:
    """End the call: its conversation is over."""
    return _document("<Hangup/>")


def reject(reason: Literal["rejected", "busy"] = "rejected") -> str:
    """Do not answer the call at all: not billed; the caller hears a busy or an error tone."""
    return _document(f"<Reject reason={_attribute(reason, 'reason')}/>")


def _said(text: str) -> str:
    return f"<Say>{_text(text, 'text')}</Say>" if text else ""


def _held(words: str) -> str:
    if not words:
        return ""
    said = _said(words)
    return said + "".join(f'<Pause length="{seconds}"/>{said}' for seconds in HOLD_SECONDS)


def _document(verbs: str) -> str:
    return f"{_DECLARATION}<Response>{verbs}</Response>"


def _parameter(name: str, value: str) -> str:
    length = len(name) + len(value)
    if length >= MAX_PARAMETER_CHARS:
        raise ValueError(
            f"stream parameter {name[:60]!r}: name and value have {length} characters together, "
            f"Twilio takes fewer than {MAX_PARAMETER_CHARS}"
        )
    what = f"stream parameter {name!r}"
    return f"<Parameter name={_attribute(name, what)} value={_attribute(value, what)}/>"


def _check_stream_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("wss", "ws") or not parts.hostname:
        raise ValueError(f"stream url {url!r}: must be wss://host/path (ws:// on loopback)")
    if parts.query or parts.fragment:
        bare = parts._replace(query="", fragment="").geturl()
        raise ValueError(f"stream url {bare!r}: Twilio takes no query or fragment, use parameters")


def _attribute(value: str, what: str) -> str:
    return quoteattr(_checked(value, what))


def _text(value: str, what: str) -> str:
    return escape(_checked(value, what), {"\r": "&#13;"})


def _checked(value: str, what: str) -> str:
    if bad := _NOT_XML.search(value):
        raise ValueError(f"{what}: character U+{ord(bad[0]):04X} cannot be written in XML")
    return value
