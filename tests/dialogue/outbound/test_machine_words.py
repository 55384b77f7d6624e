"""What machines say is known in each language, and what people say is not."""

from __future__ import annotations

from aybiza.dialogue.outbound.machine_words import PHRASES, is_machine
from aybiza.dialogue.overheard import _BACK_CHANNELS
from tests.cases import each

MACHINES = [
    ("en-US", "Hi, you've reached Ann. Leave a message after the beep."),
    ("en-US", "The person you are trying to reach is not available."),
    ("en-GB", "For opening times, press one."),
    ("de", "Guten Tag, hier ist der Anrufbeantworter von Familie Schmidt."),
    ("de-DE", "Bitte hinterlassen Sie eine Nachricht nach dem Signalton."),
    ("es", "No podemos atender su llamada. Deje su mensaje después de la señal."),
    ("fr", "Bonjour, vous êtes bien sur la messagerie de Paul."),
    ("fr", "Laissez-moi un message après le bip."),
    ("pt-BR", "Sua chamada está sendo encaminhada para a caixa postal."),
    ("it", "Risponde la segreteria telefonica del numero."),
    ("nl", "Spreek een bericht in na de piep."),
    ("hi", "कृपया बीप के बाद संदेश छोड़ें।"),
    ("ja", "ただいま電話に出ることができません。発信音の後にメッセージをお願いします。"),
    ("multi", "Hinterlassen Sie eine Nachricht."),
]
PEOPLE = [
    ("en-US", "Hello?"),
    ("en-US", "Good morning, Smith and Partners, Anna speaking, how can I help you?"),
    ("en-US", "Yes, this is she. Who is calling?"),
    ("en-US", "Please leave me alone."),
    ("de", "Schmidt, guten Tag, wer ist da?"),
    ("es", "¿Diga? ¿Quién es?"),
    ("fr", "Allô, oui, bonjour."),
    ("pt", "Alô, quem fala?"),
    ("it", "Pronto, chi parla?"),
    ("nl", "Met Jan de Vries, goedemorgen."),
    ("hi", "हैलो, कौन बोल रहा है?"),
    ("ja", "はい、田中でございます。"),
]


@each(MACHINES)
def test_a_machine_is_known_by_a_phrase(language: str, text: str) -> None:
    assert is_machine(text, language)


@each(PEOPLE)
def test_a_person_says_none_of_it(language: str, text: str) -> None:
    assert not is_machine(text, language)


def test_each_language_of_the_agents_has_its_phrases() -> None:
    assert set(PHRASES) == set(_BACK_CHANNELS)
