"""The words with which a language reads signs aloud: data for `aybiza.speech.written_out`.

`words_of("es-MX")` gives a language's `Words`, those of English for one that is not here. Names of
months and units are CLDR's, through Babel, read once a language; the rest stands below.

Errors: none. Source: CLDR 48 (Babel); the languages' usual telephone speech.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.units import format_unit


@dataclass(frozen=True, slots=True)
class Money:
    """A currency's name for one and for several, and the hundredth's."""

    one: str
    many: str
    cent: str = ""
    cents: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """How one language says signs.

    locale: CLDR's name. comma: the decimal sign. month_first: whether 3/4 is March 4th.
    money: by ISO code. and_: between a currency's units and its cents. abbreviations: with their
    stop, as written. spelled: whether acronyms and half days are read as in English.
    """

    locale: str
    at: str
    dot: str
    slash: str
    dash: str
    underscore: str
    plus: str
    minus: str
    to: str
    and_: str
    percent: str
    number: str
    times: str
    about: str
    a_half: str
    comma: bool
    month_first: bool
    money: dict[str, Money]
    abbreviations: dict[str, str] = field(default_factory=dict)
    spelled: bool = False

    def long_date(self, day: date) -> str:
        """A date as it is written out."""
        return format_date(day, "long", locale=self.locale)


_ENGLISH_SHORT: Final = {
    "Mr.": "Mister",
    "Mrs.": "Missus",
    "Ms.": "Miz",
    "Prof.": "Professor",
    "Jr.": "Junior",
    "Sr.": "Senior",
    "Inc.": "Incorporated",
    "Ltd.": "Limited",
    "Corp.": "Corporation",
    "Ave.": "Avenue",
    "Blvd.": "Boulevard",
    "Rd.": "Road",
    "Ln.": "Lane",
    "Hwy.": "Highway",
    "Pkwy.": "Parkway",
    "Apt.": "Apartment",
    "Ste.": "Suite",
    "Bldg.": "Building",
    "Dept.": "Department",
    "approx.": "approximately",
    "appt.": "appointment",
    "e.g.": "for example",
    "i.e.": "that is",
    "vs.": "versus",
    "etc.": "et cetera",
    "ext.": "extension",
    "w/": "with",
    "w/o": "without",
    "a.m.": "AM",
    "p.m.": "PM",
}

_WORDS: Final = (
    Words(
        locale="en",
        at="at",
        dot="dot",
        slash="slash",
        dash="dash",
        underscore="underscore",
        plus="plus",
        minus="minus",
        to="to",
        and_="and",
        percent="percent",
        number="number",
        times="times",
        about="about",
        a_half="and a half",
        comma=False,
        month_first=True,
        spelled=True,
        money={
            "USD": Money("dollar", "dollars", "cent", "cents"),
            "EUR": Money("euro", "euros", "cent", "cents"),
            "GBP": Money("pound", "pounds", "penny", "pence"),
            "JPY": Money("yen", "yen"),
            "INR": Money("rupee", "rupees", "paisa", "paise"),
        },
        abbreviations=_ENGLISH_SHORT,
    ),
    Words(
        locale="es",
        at="arroba",
        dot="punto",
        slash="barra",
        dash="guion",
        underscore="guion bajo",
        plus="más",
        minus="menos",
        to="a",
        and_="con",
        percent="por ciento",
        number="número",
        times="por",
        about="unos",
        a_half="y medio",
        comma=True,
        month_first=False,
        money={
            "USD": Money("dólar", "dólares", "centavo", "centavos"),
            "EUR": Money("euro", "euros", "céntimo", "céntimos"),
            "GBP": Money("libra", "libras", "penique", "peniques"),
            "JPY": Money("yen", "yenes"),
            "INR": Money("rupia", "rupias", "paisa", "paisas"),
        },
        abbreviations={
            "Sr.": "señor",
            "Sra.": "señora",
            "Dr.": "doctor",
            "Dra.": "doctora",
            "Ud.": "usted",
            "Uds.": "ustedes",
            "Avda.": "avenida",
            "Av.": "avenida",
            "p. ej.": "por ejemplo",
            "tel.": "teléfono",
        },
    ),
    Words(
        locale="fr",
        at="arobase",
        dot="point",
        slash="barre oblique",
        dash="tiret",
        underscore="tiret bas",
        plus="plus",
        minus="moins",
        to="à",
        and_="et",
        percent="pour cent",
        number="numéro",
        times="fois",
        about="environ",
        a_half="et demi",
        comma=True,
        month_first=False,
        money={
            "USD": Money("dollar", "dollars", "cent", "cents"),
            "EUR": Money("euro", "euros", "centime", "centimes"),
            "GBP": Money("livre", "livres", "penny", "pence"),
            "JPY": Money("yen", "yens"),
            "INR": Money("roupie", "roupies", "paisa", "paisas"),
        },
        abbreviations={
            "M.": "monsieur",
            "Mme": "madame",
            "Mlle": "mademoiselle",
            "Dr": "docteur",
            "bd.": "boulevard",
            "av.": "avenue",
            "p. ex.": "par exemple",
            "tél.": "téléphone",
        },
    ),
    Words(
        locale="de",
        at="ät",
        dot="Punkt",
        slash="Schrägstrich",
        dash="Bindestrich",
        underscore="Unterstrich",
        plus="plus",
        minus="minus",
        to="bis",
        and_="und",
        percent="Prozent",
        number="Nummer",
        times="mal",
        about="ungefähr",
        a_half="einhalb",
        comma=True,
        month_first=False,
        money={
            "USD": Money("Dollar", "Dollar", "Cent", "Cent"),
            "EUR": Money("Euro", "Euro", "Cent", "Cent"),
            "GBP": Money("Pfund", "Pfund", "Penny", "Pence"),
            "JPY": Money("Yen", "Yen"),
            "INR": Money("Rupie", "Rupien", "Paisa", "Paise"),
        },
        abbreviations={
            "z. B.": "zum Beispiel",
            "z.B.": "zum Beispiel",
            "d. h.": "das heißt",
            "d.h.": "das heißt",
            "bzw.": "beziehungsweise",
            "usw.": "und so weiter",
            "ca.": "circa",
            "Dr.": "Doktor",
            "Str.": "Straße",
            "Nr.": "Nummer",
            "Tel.": "Telefon",
        },
    ),
    Words(
        locale="pt",
        at="arroba",
        dot="ponto",
        slash="barra",
        dash="hífen",
        underscore="sublinhado",
        plus="mais",
        minus="menos",
        to="a",
        and_="e",
        percent="por cento",
        number="número",
        times="vezes",
        about="cerca de",
        a_half="e meio",
        comma=True,
        month_first=False,
        money={
            "USD": Money("dólar", "dólares", "centavo", "centavos"),
            "EUR": Money("euro", "euros", "cêntimo", "cêntimos"),
            "GBP": Money("libra", "libras", "pêni", "pence"),
            "BRL": Money("real", "reais", "centavo", "centavos"),
            "JPY": Money("iene", "ienes"),
            "INR": Money("rupia", "rupias", "paisa", "paisas"),
        },
        abbreviations={
            "Sr.": "senhor",
            "Sra.": "senhora",
            "Dr.": "doutor",
            "Dra.": "doutora",
            "Av.": "avenida",
            "R.": "rua",
            "tel.": "telefone",
        },
    ),
    Words(
        locale="nl",
        at="apenstaartje",
        dot="punt",
        slash="schuine streep",
        dash="streepje",
        underscore="laag streepje",
        plus="plus",
        minus="min",
        to="tot",
        and_="en",
        percent="procent",
        number="nummer",
        times="keer",
        about="ongeveer",
        a_half="en een half",
        comma=True,
        month_first=False,
        money={
            "USD": Money("dollar", "dollar", "cent", "cent"),
            "EUR": Money("euro", "euro", "cent", "cent"),
            "GBP": Money("pond", "pond", "penny", "pence"),
            "JPY": Money("yen", "yen"),
            "INR": Money("roepie", "roepie", "paisa", "paisa"),
        },
        abbreviations={
            "bijv.": "bijvoorbeeld",
            "d.w.z.": "dat wil zeggen",
            "enz.": "enzovoort",
            "ca.": "circa",
            "dhr.": "de heer",
            "mevr.": "mevrouw",
            "tel.": "telefoon",
        },
    ),
    Words(
        locale="hi",
        at="ऐट",
        dot="डॉट",
        slash="स्लैश",
        dash="डैश",
        underscore="अंडरस्कोर",
        plus="प्लस",
        minus="माइनस",
        to="से",
        and_="और",
        percent="प्रतिशत",
        number="नंबर",
        times="गुना",
        about="लगभग",
        a_half="और आधा",
        comma=False,
        month_first=False,
        money={
            "USD": Money("डॉलर", "डॉलर", "सेंट", "सेंट"),
            "EUR": Money("यूरो", "यूरो", "सेंट", "सेंट"),
            "GBP": Money("पाउंड", "पाउंड", "पेंस", "पेंस"),
            "JPY": Money("येन", "येन"),
            "INR": Money("रुपया", "रुपये", "पैसा", "पैसे"),
        },
    ),
    Words(
        locale="ja",
        at="アットマーク",
        dot="ドット",
        slash="スラッシュ",
        dash="ハイフン",
        underscore="アンダーバー",
        plus="プラス",
        minus="マイナス",
        to="から",
        and_="",
        percent="パーセント",
        number="番号",
        times="かける",
        about="約",
        a_half="半",
        comma=False,
        month_first=False,
        money={
            "USD": Money("ドル", "ドル", "セント", "セント"),
            "EUR": Money("ユーロ", "ユーロ", "セント", "セント"),
            "GBP": Money("ポンド", "ポンド", "ペンス", "ペンス"),
            "JPY": Money("円", "円"),
            "INR": Money("ルピー", "ルピー"),
        },
    ),
)

LANGUAGES: Final = tuple(words.locale for words in _WORDS)
_BY_LANGUAGE: Final = {words.locale: words for words in _WORDS}

UNITS: Final = {
    "km/h": "kilometer-per-hour",
    "mph": "mile-per-hour",
    "km": "length-kilometer",
    "cm": "length-centimeter",
    "mm": "length-millimeter",
    "m": "length-meter",
    "mi": "length-mile",
    "ft": "length-foot",
    "yd": "length-yard",
    "in": "length-inch",
    "kg": "mass-kilogram",
    "mg": "mass-milligram",
    "g": "mass-gram",
    "lb": "mass-pound",
    "lbs": "mass-pound",
    "oz": "mass-ounce",
    "ml": "volume-milliliter",
    "mL": "volume-milliliter",
    "l": "volume-liter",
    "L": "volume-liter",
    "GB": "digital-gigabyte",
    "MB": "digital-megabyte",
    "kB": "digital-kilobyte",
    "KB": "digital-kilobyte",
    "TB": "digital-terabyte",
    "kWh": "energy-kilowatt-hour",
    "m²": "area-square-meter",
    "km²": "area-square-kilometer",
    "sq ft": "area-square-foot",
    "°C": "temperature-celsius",
    "°F": "temperature-fahrenheit",
    "°": "angle-degree",
    "hr": "duration-hour",
    "hrs": "duration-hour",
    "h": "duration-hour",
    "min": "duration-minute",
    "mins": "duration-minute",
    "sec": "duration-second",
    "secs": "duration-second",
    "ms": "duration-millisecond",
}
"""CLDR's unit for each sign."""


@cache
def words_of(language: str) -> Words:
    """The words of a language named as BCP 47 does (`en-GB`, `pt-BR`, `multi`)."""
    tag, _, region = language.partition("-")
    words = _BY_LANGUAGE.get(tag.lower(), _BY_LANGUAGE["en"])
    if words.locale == "en" and region.upper() in {"GB", "AU", "NZ", "IE", "IN", "ZA"}:
        return replace(words, locale="en_GB", month_first=False)
    return words


@cache
def unit(sign: str, locale: str, one: bool) -> str:
    """The name of a unit behind its number: `{0} kilometers`."""
    said: str = format_unit(1 if one else 5, UNITS[sign], "long", locale=locale)
    return said.replace("1" if one else "5", "{0}", 1)


@cache
def months(locale: str) -> tuple[str, ...]:
    """The names of the twelve months."""
    wide = Locale.parse(locale).months["format"]["wide"]
    return tuple(wide[number] for number in range(1, 13))


def warm(language: str) -> None:
    """Read a language's data now, from files, so that the first sentence need not."""
    words = words_of(language)
    months(words.locale)
    words.long_date(date(2000, 1, 1))
    for sign in UNITS:
        unit(sign, words.locale, one=True)
        unit(sign, words.locale, one=False)
