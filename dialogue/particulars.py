"""What a question asks about in particular, and whether it is about its caller.

    particulars("Are you open on Monday?", "en")     frozenset({'monday'})
    is_impersonal("Are you open?", "en")             True

Two questions that mean nearly the same to an embedding ("on Monday", "on Tuesday") want two
answers, and what a caller says of themselves is nobody else's. So an answer is used for a question
that is put in other words only where both are about no caller and name the same particulars: days,
months, names, amounts, a not.

Contract: pure; in doubt a question is personal. Languages: `LANGUAGES`; in others every question
is. Errors: none. Source: Unicode CLDR, names of days and months (babel).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from babel import Locale

# Who speaks of themselves, by language; and words of time, number and denial that stand in no list
# of CLDR.
_OWN: Final = {
    "en": "i me my mine myself we us our ours i'm i've i'd i'll we're we've we'd we'll name",
    "de": "ich mich mir mein meine meinen meinem meiner meines wir uns unser unsere unseren name",
    "es": "yo me mi mis mí mío mía nosotros nos nuestro nuestra soy tengo quiero llamo nombre",
    "fr": "je j' me m' moi mon ma mes nous notre nos nom",
    "it": "io mi me mio mia miei mie noi ci nostro nostra sono ho vorrei chiamo nome",
    "nl": "ik mij me mijn wij we ons onze naam",
    "pt": "eu me mim meu minha meus minhas nós nos nosso nossa sou tenho quero chamo nome",
}
_NAMED: Final = {
    "en": "today tomorrow yesterday tonight now morning afternoon evening night noon weekend"
    " holiday not no never without except don't doesn't isn't aren't can't won't first last"
    " next second two three four five six seven eight nine ten eleven twelve hundred half",
    "de": "heute morgen übermorgen gestern jetzt vormittag nachmittag abend nacht mittag wochenende"
    " feiertag nicht kein keine keinen nie ohne außer zwei drei vier fünf sechs sieben acht neun"
    " zehn elf zwölf hundert halb erste letzte nächste",
    "es": "hoy mañana ayer ahora tarde noche mediodía festivo no nunca sin salvo dos tres cuatro"
    " cinco seis siete ocho nueve diez once doce cien media primero último próximo",
    "fr": "aujourd'hui demain hier maintenant matin après-midi soir nuit midi week-end férié pas ne"
    " jamais sans sauf deux trois quatre cinq six sept huit neuf dix onze douze cent demi premier"
    " dernier prochain",
    "it": "oggi domani ieri adesso mattina pomeriggio sera notte mezzogiorno festivo non mai senza"
    " tranne due tre quattro cinque sei sette otto nove dieci undici dodici cento mezza primo"
    " ultimo prossimo",
    "nl": "vandaag morgen gisteren nu ochtend middag avond nacht weekend feestdag niet geen nooit"
    " zonder behalve twee drie vier vijf zes zeven acht negen tien elf twaalf honderd half eerste"
    " laatste volgende",
    "pt": "hoje amanhã ontem agora manhã tarde noite meio-dia feriado não nunca sem exceto dois"
    " três quatro cinco seis sete oito nove dez onze doze cem meia primeiro último próximo",
}
LANGUAGES: Final = frozenset(_OWN)

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*['’]?")
_BEGIN_BEHIND: Final = frozenset(".!?¿¡:")


def particulars(said: str, language: str) -> frozenset[str]:
    """What the question names: words of time, amount and denial, and what is written as a name is.

    >>> sorted(particulars("Can Rex come in on Monday, or tomorrow?", "en-US"))
    ['monday', 'rex', 'tomorrow']
    """
    named = _named(_tag(language))
    found = set()
    for match in _WORD.finditer(said):
        word = match[0].replace("’", "'")
        plain = word.casefold()
        # German writes all nouns as names; a word too many only costs a hit.
        if plain in named or (word[0].isupper() and not _begins(said, match.start())):
            found.add(plain)
    return frozenset(found)


def _begins(said: str, at: int) -> bool:
    """Whether a sentence begins with the word at this place."""
    while at > 0 and not (said[at - 1].isalnum() or said[at - 1] == "_"):
        at -= 1
        if said[at] in _BEGIN_BEHIND:
            return True
    return at == 0


def is_impersonal(said: str, language: str) -> bool:
    """Whether a question is nothing of its caller's own.

    >>> [is_impersonal(said, "en") for said in ("When are you open?", "When is my appointment?")]
    [True, False]
    """
    own = _own(_tag(language))
    if not own or any(map(str.isdigit, said)) or "@" in said:
        return False
    words = (match[0].casefold().replace("’", "'") for match in _WORD.finditer(said))
    return own.isdisjoint(part for word in words for part in _parts(word))


def repeats(said: str, answer: str, language: str) -> bool:
    """Whether the answer takes up a name that the question has.

    >>> repeats("This is Ann Lee, when do you open?", "At nine, Ann.", "en")
    True
    """
    named = particulars(said, language) - _named(_tag(language))
    return not named.isdisjoint(match[0].casefold() for match in _WORD.finditer(answer))


def _tag(language: str) -> str:
    return language.partition("-")[0].casefold()


def _parts(word: str) -> tuple[str, ...]:
    """A word, and what stands before its apostrophe: French says j'ai."""
    before, apostrophe, _ = word.partition("'")
    return (word, before + apostrophe) if apostrophe else (word,)


@cache
def _own(tag: str) -> frozenset[str]:
    return frozenset(_OWN.get(tag, "").split())


@cache
def _named(tag: str) -> frozenset[str]:
    if tag not in LANGUAGES:
        return frozenset()
    locale = Locale(tag)
    names = (
        name.casefold().rstrip(".")
        for table in (locale.days, locale.months)
        for width in ("wide", "abbreviated")
        for name in table["stand-alone"][width].values()
    )
    return frozenset((*names, *_NAMED[tag].split()))
