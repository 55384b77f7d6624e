"""What must not be read by everyone: hides secrets before they are printed or logged.

`hide_secrets` hides what stands under a key that sounds secret, at any depth, and what is secret
in URLs wherever they stand: users and passwords, and parameters such as `?token=`. It never changes
what it is given.
"""

import functools
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

HIDDEN = "(hidden)"

MAX_DEPTH = 6
"""Levels of nested containers that are looked into; what lies deeper is shown as `…`."""

_SECRET_WORDS = frozenset(
    {
        "authorization",
        "cookie",
        "credential",
        "credentials",
        "passphrase",
        "passwd",
        "password",
        "secret",
        "secrets",
        "token",
    }
)
_SECRET_ENDINGS = ("access_key", "access_key_id", "api_key", "apikey", "private_key", "signing_key")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATOR = re.compile(r"[^a-z0-9]+")
# A user alone may be a token, and a password may hold any character that is no white space; what
# looks like a port is none.
_USER = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,40}:/{1,2})"
    r"(?:[^\s/@:?#\[]*:(?!\d*(?:[/?#\s,;'\")]|$))[^\s]*@|[^\s/?#@]*@(?:[^\s/?#@]*@)*)"
)
_ADDRESS = re.compile(r"[\w.%+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
# Models write numbers with spaces and hyphens at which no line breaks, too.
_NUMBER = re.compile(
    r"(?<!\w)\+?\(?\d(?:[ ().,/\-\u00a0\u2007\u2009\u202f\u2010-\u2015\u2212]{0,3}\d){4,}(?!\w)"
)
_PARAMETER = re.compile(r"(?<=[?&;#])(?P<name>[A-Za-z0-9_.%~-]{1,80})=[^\s&#;\"'<>]+")
_SECRET_PARAMETERS = frozenset(
    {"auth", "code", "hmac", "jwt", "key", "pass", "passcode", "pin", "pw", "pwd", "sas", "session"}
    | {"sessionid", "sid", "sig", "signature"}
)


@functools.lru_cache(maxsize=4096)
def sounds_secret(key: str) -> bool:
    """Whether a value under this key is to be hidden: `api_key`, `authToken`, `X-Auth-Token`.

    Counts are not: `max_tokens` and `tokens` are shown.
    """
    words = _SEPARATOR.split(_CAMEL.sub("_", key).lower())
    return not _SECRET_WORDS.isdisjoint(words) or "_".join(words).endswith(_SECRET_ENDINGS)


def hide_url_password(text: str) -> str:
    """The text with what is secret in each URL in it hidden.

    >>> hide_url_password("redis://user:pw@host/0 and /hook?token=abc&page=2")
    'redis://(hidden)@host/0 and /hook?token=(hidden)&page=2'
    """
    if "@" in text and ":/" in text:
        text = _USER.sub(rf"\g<scheme>{HIDDEN}@", text)
    if "=" in text:
        text = _PARAMETER.sub(_hide_parameter, text)
    return text


def masked(number: str) -> str:
    """A caller's number by which an operator knows a call again, and nobody the caller.

    >>> masked("+14155550123"), masked("sip:anna@example.org"), masked("")
    ('…23', '(hidden)', 'withheld')
    """
    if not number:
        return "withheld"
    return f"…{number[-2:]}" if number.lstrip("+").isdecimal() and len(number) > 4 else HIDDEN


def without_numbers(text: str) -> str:
    """What was said, without telephone numbers, card numbers, dates of birth and other numbers of
    five digits or more, and without e-mail addresses. Numbers that are spelt in words stay.

    >>> without_numbers("It is 4111 1111 1111 1111, and call (415) 555-0123 after 9.30 pm.")
    'It is (number), and call (number) after 9.30 pm.'
    >>> without_numbers("Write to ann.lee@example.org, born 12.05.1980, room 1204.")
    'Write to (address), born (number), room 1204.'
    """
    return _NUMBER.sub("(number)", _ADDRESS.sub("(address)", text))


def _hide_parameter(found: re.Match[str]) -> str:
    name = unquote(found["name"])
    words = _SEPARATOR.split(_CAMEL.sub("_", name).lower())
    secret = sounds_secret(name) or not _SECRET_PARAMETERS.isdisjoint(words)
    return f"{found['name']}={HIDDEN}" if secret else found[0]


def hide_secrets(value: Any, key: str = "") -> Any:
    """A copy of the value that may be shown, with `key` as the name that it stands under.

    Keys of mappings become text, sequences become lists. Numbers, booleans and None are always
    shown: a duration such as `first_token_ms` is no secret.
    """
    return _hide(value, key, MAX_DEPTH)


def _hide(value: Any, key: str, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if sounds_secret(key):
        return HIDDEN
    if isinstance(value, str):
        return hide_url_password(value)
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth == 0:
        return "…"
    if isinstance(value, Mapping):
        return {str(k): _hide(v, str(k), depth - 1) for k, v in value.items()}
    return [_hide(item, "", depth - 1) for item in value]
