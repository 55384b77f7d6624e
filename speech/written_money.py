"""Money and percentages as people say them: rows of `aybiza.speech.written_out`.

Amounts in signs or codes, in any of the world's ways to group digits, with their ranges, scales
("$5 million"), the unit that they are for ("/month") and their cents. Errors: none; what fits no
row stays.

Source: ISO 4217; CLDR, through Babel, for the names of currencies.
"""

from __future__ import annotations

import re
from typing import Final

from aybiza.speech.spoken_words import Money, Say, Words, currency

_SYMBOLS: Final = {
    "$": "USD",
    "US$": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "A$": "AUD",
    "AU$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "MX$": "MXN",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₹": "INR",
    "R$": "BRL",
}
_SCALES: Final = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion"}
AMOUNT: Final = (
    r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d{1,2})?(?!\d)"
    r"|\d{1,3}(?:[,.\u202f ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d+(?:[.,]\d+)?"
)
_SIGN: Final = r"\b(?:US|CA|C|AU|A|NZ|HK|MX|R)\$|[$€£¥₹]"
_CODES: Final = (
    "USD|EUR|GBP|JPY|INR|BRL|CHF|CAD|AUD|NZD|MXN|CNY|SEK|NOK|DKK|PLN|CZK|AED|ZAR|SGD|HKD"
)
_SCALE: Final = r"\s?(?:million|billion|trillion|thousand)\b|(?:[kKmMbB]|mn|bn)\b"
# "$20 USD", "$5 million dollars": the currency a second time.
_TWICE: Final = rf"(?:\s(?P<code>{_CODES})\b|\s(?:dollars?|euros?|pounds?)\b)?"
_PER: Final = r"(?:\s?/\s?(?P<per>[^\W\d_]+)|-(?:a|per)-(?P<each>[a-z]+))?"
_ENGLISH_PER: Final = {"mo": "month", "yr": "year", "hr": "hour", "wk": "week", "min": "minute"}


def _number(text: str, words: Words) -> tuple[str, str]:
    """Units and hundredths of an amount as it is written in this language or in English."""
    text = text.replace("\u202f", "").replace(" ", "")
    found = re.fullmatch(r"(.*?)(?:[.,](\d{1,2}))?", text)
    assert found is not None
    whole, part = found[1], found[2] or ""
    if part and not re.search(r"[.,]\d{1,2}$", text):
        whole, part = text, ""
    return whole, part


def _named(whole: str, part: str, code: str, words: Words) -> str:
    money = _currency(code, words)
    bare = re.sub(r"\D", "", whole) or "0"
    cents = int(part.ljust(2, "0")) if part else 0
    if whole == bare and len(bare) > 4:
        whole = f"{int(bare):,}".replace(",", "." if words.comma else ",")
    units = f"{whole} {money.one if int(bare) == 1 else money.many}"
    if not cents or not money.cent:
        return units
    hundredths = f"{cents} {money.cent if cents == 1 else money.cents}"
    return hundredths if not int(bare) else f"{units} {words.and_} {hundredths}"


def _currency(code: str, words: Words) -> Money:
    """A currency's names; those of CLDR have none for its hundredth."""
    if (own := words.money.get(code)) is not None:
        return own
    return Money(*(currency(code, words.locale, one=one) for one in (True, False)))


def _money(match: re.Match[str], words: Words) -> str:
    groups = match.groupdict()
    sign = groups.get("sign") or groups.get("after") or ""
    code = groups.get("code") or _SYMBOLS.get(sign, sign)
    money = _currency(code, words)
    minus = f"{words.minus} " if groups.get("minus") or groups.get("below") else ""
    scale = (groups.get("scale") or groups.get("scales") or "").strip()
    whole, part = _number(match["amount"], words)
    if not money.cent and part:
        whole, part = match["amount"], ""
    each = groups.get("each")
    per = per_unit(groups.get("per"), words) or (f" a {each}" if each else "")
    until = f" {words.to} {groups['until']}" if groups.get("until") else ""
    if scale:
        scale = _SCALES.get(scale.lower(), scale)
        return f"{minus}{match['amount']}{until} {scale} {money.many}{per}"
    if until:
        most, most_part = _number(groups["until"], words)
        low = f"{whole}{'.' + part if part else ''}"
        return f"{low} {words.to} {_named(most, most_part, code, words)}{per}"
    return f"{minus}{_named(whole, part, code, words)}{per}"


def per_unit(unit_name: str | None, words: Words) -> str:
    """What an amount or a measure is for, by the name behind its stroke."""
    if not unit_name:
        return ""
    name = _ENGLISH_PER.get(unit_name, unit_name) if words.spelled else unit_name
    return f" {words.per} {name}"


def _cents(match: re.Match[str], words: Words) -> str:
    money = words.money["USD"]
    return f"{match[1]} {money.cent if match[1] == '1' else money.cents}"


def _percent(match: re.Match[str], words: Words) -> str:
    until = f" {words.to} {match['until']}" if match["until"] else ""
    minus = f"{words.minus} " if match["minus"] else ""
    return f"{minus}{match['amount']}{until} {words.percent}"


MONEY_ROWS: Final[tuple[tuple[re.Pattern[str], Say], ...]] = (
    (
        re.compile(
            rf"(?P<minus>[-\u2212])?(?P<sign>{_SIGN})\s?(?P<below>[-\u2212])?(?P<amount>{AMOUNT})"
            rf"(?P<scale>{_SCALE})?(?:\s?[-–]\s?(?:{_SIGN})?(?P<until>{AMOUNT})"
            rf"(?P<scales>{_SCALE})?)?(?:,-)?{_TWICE}{_PER}"
        ),
        _money,
    ),
    (
        re.compile(
            rf"(?<![\w.,])(?<!\d{{3}} )(?P<minus>[-\u2212])?(?P<amount>{AMOUNT})"
            rf"(?P<scale>{_SCALE})?\s?(?P<after>{_SIGN}|\b(?:{_CODES})\b){_PER}"
        ),
        _money,
    ),
    (
        re.compile(rf"\b(?P<sign>{_CODES})\s?(?P<amount>{AMOUNT})(?P<scale>{_SCALE})?"),
        _money,
    ),
    (re.compile(r"(?<![\w.,])(\d+)\s?¢"), _cents),
    (
        re.compile(
            rf"(?P<minus>(?<![\w-])[-\u2212])?(?<![\d.,])(?<!\d{{3}} )(?P<amount>{AMOUNT})"
            rf"(?:\s?%?\s?[-–]\s?(?P<until>{AMOUNT}))?\s?%"
        ),
        _percent,
    ),
)
