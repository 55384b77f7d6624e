"""How callers agree, refuse and hesitate, by language: data for `aybiza.dialogue.assent`.

Contract: `words_for("es-MX")` is a language's `ConsentWords`; for `multi`, and for a language that
is not here, those of all languages together. Each row is written as the caller's words are
compared: in small letters, with straight apostrophes. Errors: none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class ConsentWords:
    """One language's phrases, each group divided by `|`.

    yes: agree by themselves. no: refuse, wherever they stand. wavers: make of a yes no consent.
    harmless: hold a `no` word and refuse nothing. beside: may stand beside a yes without being
    about anything else. undoes, changes: name what takes something back, or changes it; a yes with
    one of them is a yes to a question that has one too. more: the agent asks with them what else it
    can do; a yes to that agrees to nothing. counts: the numbers from nought on, as
    words. spaced: whether words are divided by blanks.
    """

    yes: str
    no: str
    wavers: str
    harmless: str
    beside: str
    undoes: str
    changes: str
    more: str
    counts: str
    spaced: bool = True


_WORDS: Final = {
    "en": ConsentWords(
        yes=(
            "yes|yeah|yep|yup|yea|ya|aye|sure|sure thing|ok|okay|alright|all right|right|correct"
            "|exactly|absolutely|definitely|certainly|of course|by all means|please do|go ahead"
            "|go for it|do it|do that|do so|that works|works for me|that is right|that's right"
            "|that is correct|that's correct|that is fine|that's fine|that's it|sounds good"
            "|sounds great|sounds right|perfect|confirmed|i confirm|i agree|agreed|affirmative"
            "|you bet|you got it|i do|i would|let's do it|book it|send it|lock it in|make it so"
            "|confirm"
            "|fine|fine by me|fine with me|good|all good|great|indeed|that'd be great|i'd like that"
            "|that would be great|that's what i want|that will do|that'll do|that'll work"
            "|that'll be fine|awesome|i'll take it|let's go with that|let's go with it|you may"
            "|go right ahead|sounds perfect|sounds lovely|that's the right one|that would be lovely"
            "|i would like that|actually,? yes"
            "|i'm fine with that|i'm good with that|i'm happy with that|i'm okay with that"
            "|i'm fine with it|i'm happy with it"
        ),
        no=(
            r"no|nope|nah|not|never|neither|nor|none|nothing|cannot|\w+n't|dont|wait|stop|hold on"
            "|hang on|hold off|wrong|incorrect|rather|instead|actually|leave it|forget it"
            "|scrap that|refuse|decline|disagree|without|i'm good|i'm fine|i'm okay|i'm ok"
            "|i'm all set|we're good|we're fine|all set"
        ),
        wavers=(
            "but|except|unless|if|maybe|perhaps|probably|possibly|i guess|i suppose|i think so"
            "|let me think|i think i|i think we|i think not|hmm+|um+|uh+(?!-huh)|er+|well|sort of"
            "|kind of|unsure|depends|before"
            "|first"
            "|later|until|though|however|only|or|what|when|where|which|who|how|why|could you"
            "|can you|provided|assuming|as long as"
            "|^is|^are|^am|^was|^can|^could|^should|^does|^did|^has|^have|is it|is that|is this"
            "|is there"
            "|are you|are there|have to|need to|got to|gotta|shall i|shall we|^would|^will|^shall"
            "|do you|do we|that's okay|that's ok|it's okay|it's ok|was it|was that|does it"
            "|does that|did you|have you|can i|could i"
            "|should i"
        ),
        harmless=(
            "no problem|not a problem|no worries|no objections?|no doubt|why not|no questions?"
            "|i don't mind|i do not mind|don't mind|i wouldn't mind|can't wait|no need to wait"
            "|i don't see why not|no changes(?: needed)?"
            "|nothing against it|nothing against that|no time like the present|that's not a problem"
        ),
        beside=(
            "please|thanks|thank you|very much|so much|great|good|lovely|wonderful|nice|cool|fine"
            "|excellent|super|brilliant|it|that|this|them|is|it's|that's|i|i'd|i'll|i'm|we|you"
            "|me|my"
            "|the|a|for|to|with|and|so|then|now|just|do|does|would|will|like|want|book|can"
            "|send|make|put|take|both|all|good with|happy|happy with|sir|ma'am|madam|i am"
            "|there|here|again|absolutely|really|totally|go|right ahead|i think|pretty|let's"
            "|works|love|appointment"
            "|oh|ah|uh-huh|o'clock|the one"
        ),
        undoes=r"cancel\w*|call off|called off|calling off|delet\w+|remov\w+|undo|drop\w*",
        changes=r"move|moved|moving|change|changed|changing|reschedul\w+|switch\w*|shift\w*|postpon\w+",
        more=(
            "anything else|something else|anything more|what else|any other questions?"
            "|any more questions|any further questions|help you further"
        ),
        counts=(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
            " fifteen sixteen seventeen eighteen nineteen twenty"
        ),
    ),
    "es": ConsentWords(
        yes=(
            "sí|si|claro|claro que sí|por supuesto|desde luego|vale|de acuerdo|correcto|exacto"
            "|exactamente|perfecto|adelante|está bien|confirmo|confirmado|hágalo|hazlo|así es"
            "|eso es"
            "|cómo no|como no|dale|bueno|ok|okay|conforme|bien|muy bien|genial|me parece bien"
            "|está perfecto|es correcto|confirmar"
        ),
        no=(
            "no|nunca|jamás|tampoco|nada|ni|espere|espera|un momento|pare|para|alto|mejor|en vez"
            "|en lugar|mal|incorrecto|déjelo|déjalo|olvídelo|olvídalo|ningún|ninguna|sin"
        ),
        wavers=(
            "pero|excepto|salvo|a menos|quizás?|tal vez|a lo mejor|puede ser|supongo|creo|depende"
            "|no sé|eh+|mmm+|antes|luego|después|solo|sólo|aunque|qué|cuándo|dónde|cuál|cuánto|cómo"
            "|por qué|o|siempre que"
        ),
        harmless=(
            "no hay problema|ningún problema|sin problema|no me importa|no tengo inconveniente"
            "|sin duda|cómo no|como no|no se preocupe|por qué no"
        ),
        beside=(
            "por favor|gracias|muchas|muy|bien|lo|la|el|eso|esto|es|está|me|a|y|entonces|pues|que"
            "|señor|señora|señorita|quiero|reserve|resérvelo|la cita|cita|todo|así"
        ),
        undoes=r"cancel\w*|cancél\w*|anul\w*|anúl\w*|elimin\w*|borr\w*|bórr\w*",
        changes=r"cambi\w*|cámbi\w*|muev\w*|muév\w*|mover\w*|modific\w*|aplaz\w*",
        more="algo más|alguna otra cosa|otra cosa|alguna otra pregunta|más preguntas",
        counts=(
            "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce"
            " quince dieciséis diecisiete dieciocho diecinueve veinte"
        ),
    ),
    "fr": ConsentWords(
        yes=(
            "oui|ouais|bien sûr|d'accord|entendu|exact|exactement|c'est ça|c'est exact|parfait"
            "|absolument|certainement|tout à fait|allez-y|allez y|vas-y|volontiers|je confirme"
            "|c'est bon|ça marche|ok|okay|très bien|faites-le|faites|c'est correct|ça me va"
            "|ça me convient|tout est bon|c'est parfait"
            "|je veux bien"
        ),
        no=(
            "non|ne|n'\\w+|pas|jamais|rien|aucun|aucune|attendez|attends|arrêtez|arrête|stop|plutôt"
            "|au lieu|faux|incorrect|laissez|laisse|oubliez|sans|ni"
        ),
        wavers=(
            "mais|sauf|à moins|peut-être|peut être|probablement|je suppose|je pense|je crois"
            "|ça dépend"
            "|euh+|hum+|avant|après|plus tard|seulement|que|quand|où|quel|quelle|combien|comment"
            "|pourquoi|ou|si|à condition"
        ),
        harmless=(
            "pas de problème|pas de souci|aucun problème|aucun souci|sans problème|sans souci"
            "|ça ne me dérange pas|ça ne me gêne pas|pourquoi pas|sans doute"
        ),
        beside=(
            "s'il vous plaît|s'il te plaît|merci|beaucoup|bien|très|c'est|ça|cela|le|la|les|un"
            "|une|je"
            "|me|moi|et|alors|donc|monsieur|madame|réservez|veux|voudrais|rendez-vous|y|allez"
            "|pour|tout"
        ),
        undoes=r"annul\w*|supprim\w*|décommand\w*",
        changes=r"chang\w*|déplac\w*|modifi\w*|report\w*|décal\w*",
        more="autre chose|quelque chose d'autre|d'autres questions|une autre question",
        counts=(
            "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze"
            " quinze seize dix-sept dix-huit dix-neuf vingt"
        ),
    ),
    "de": ConsentWords(
        yes=(
            "ja|jawohl|jo|jep|klar|na klar|sicher|natürlich|selbstverständlich|gerne|gern|genau"
            "|richtig|korrekt|stimmt|das stimmt|in ordnung|okay|ok|einverstanden|passt|das passt"
            "|perfekt|bitte machen sie das|machen sie das|mach das|tun sie das|ich bestätige"
            "|bestätigt|auf jeden fall|absolut|unbedingt|nur zu|abgemacht|alles klar"
            "|alles richtig|gut"
            "|das wäre schön|das wäre super|das wäre gut|das wäre prima|so machen wir das|super"
            "|prima|sehr gut"
        ),
        no=(
            "nein|nee|nö|nicht|nichts|nie|niemals|kein|keine|keinen|keiner|keinem|keinesfalls"
            "|warten"
            "|warte|moment|halt|stopp?|lieber|statt|stattdessen|falsch|doch nicht|lassen sie|lass"
            "|vergessen sie|ohne|weder|auf keinen fall"
        ),
        wavers=(
            "aber|außer|falls|wenn|vielleicht|eventuell|wahrscheinlich|ich glaube|ich denke"
            "|ich schätze|kommt drauf an|hm+|äh+|ähm+|vorher|erst|später|nur|was|wann|wo"
            "|welche[rns]?"
            "|wie|warum|oder|ob|sofern|solange|augenblick|sekunde"
        ),
        harmless=(
            "kein problem|keine ursache|nichts dagegen|habe nichts dagegen|hab nichts dagegen"
            "|keine einwände|kein einwand|warum nicht|keine frage|macht nichts"
        ),
        beside=(
            "bitte|danke|schön|sehr|gut|prima|super|toll|das|es|ist|ich|sie|mir|mich|so|dann|und"
            "|doch"
            "|der|die|den|ein|einen|buchen|möchte|will|termin|machen|mal|da|dafür|also|können"
            "|alles|uhr"
        ),
        undoes=r"stornier\w*|absag\w*|abzusagen|lösch\w*|sagen sie \w+(?: \w+)? ab",
        changes=r"änder\w*|verschieb\w*|verleg\w*|umbuch\w*|umzubuchen",
        more=(
            "noch etwas|sonst noch|noch was|etwas anderes|weitere fragen|noch fragen"
            "|noch eine frage|weiterhelfen"
        ),
        counts=(
            "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn"
            " fünfzehn sechzehn siebzehn achtzehn neunzehn zwanzig"
        ),
    ),
    "pt": ConsentWords(
        yes=(
            "sim|claro|claro que sim|com certeza|certo|certamente|correto|exato|exatamente|perfeito"
            "|pode ser|pode|podes|está bem|está bom|tá|tá bom|tudo bem|de acordo|combinado|concordo"
            "|confirmo|confirmado|isso|isso mesmo|ok|okay|beleza|vá em frente|faça|faça isso"
            "|positivo|tudo certo|está ótimo|ótimo|pode confirmar|é isso|é isso mesmo"
        ),
        no=(
            "não|nao|nunca|jamais|nada|nem|espere|espera|um momento|pare|para|melhor|em vez|errado"
            "|incorreto|deixe|esqueça|nenhum|nenhuma|sem|negativo"
        ),
        wavers=(
            "mas|exceto|a menos|talvez|quem sabe|acho|suponho|depende|hum+|é que|antes|depois"
            "|mais tarde|só|somente|embora|o que|quando|onde|qual|quanto|como|por que|ou|se"
            "|desde que"
        ),
        harmless=(
            "não tem problema|sem problemas?|nenhum problema|não me importo|sem dúvida|por que não"
            "|não há problema"
        ),
        beside=(
            "por favor|obrigad[oa]|muito|bem|bom|é|está|eu|me|o|a|para|mim|e|então|senhora?|quero"
            "|marque|marcar|consulta|que|pode|horas|às|as|tudo"
        ),
        undoes=r"cancel\w*|desmarc\w*|apag\w*|anul\w*",
        changes=r"mude|muda|mudar|alter\w*|remarc\w*|adie|adiar|troc\w+|troqu\w+",
        more="mais alguma coisa|algo mais|outra coisa|mais alguma pergunta|mais perguntas",
        counts=(
            "zero um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze"
            " dezesseis dezessete dezoito dezenove vinte"
        ),
    ),
    "it": ConsentWords(
        yes=(
            "sì|si|certo|certamente|certo che sì|sicuro|sicuramente|va bene|d'accordo|esatto"
            "|esattamente|giusto|corretto|perfetto|benissimo|volentieri|assolutamente|senz'altro"
            "|confermo|lo confermo|confermato|proceda|proceda pure|proceda così|procedi"
            "|faccia pure|faccia così|fai pure|lo faccia|ok|okay|come no|affermativo|ottimo"
            "|per me va bene"
            "|va benissimo|prenoti pure|prenoti|lo confermi|confermi"
        ),
        no=(
            r"no|non|niente|nulla|mai|nessun|nessuno|nessuna|né|senza|aspetti|aspetta|fermo|ferma"
            "|un momento|un attimo|meglio|piuttosto|invece|sbagliato|errato|lasci|lascia|dimentichi"
            "|annulli tutto|negativo"
        ),
        wavers=(
            "ma|però|tranne|salvo|a meno|se|forse|magari|penso|credo|suppongo|dipende|ehm+|uhm+"
            "|mah|boh|prima|dopo|più tardi|poi|solo|soltanto|anche se|cosa|che cosa|quando|dove"
            "|quale|quanto|quanti|come|perché|oppure|o|purché|a patto"
        ),
        harmless=(
            "non c'è problema|nessun problema|senza problemi|non c'è dubbio|senza dubbio"
            "|perché no|come no|non mi dispiace|niente in contrario"
        ),
        beside=(
            "per favore|per piacere|prego|grazie|mille|molte|tante|molto|bene|bello|ottimo|è|così"
            "|lo|la|il|un|una|mi|e|allora|pure|tutto|a posto|signor[ae]?|voglio|vorrei|prenoti"
            "|prenota|appuntamento|questo|questa|alle"
        ),
        undoes=r"annull\w*|cancell\w*|disdica|disdico|disdire|disdetta|disdici|elimin\w*",
        changes=r"cambi\w*|spost\w*|modific\w*|rimand\w*|rinvi\w*",
        more="qualcos'altro|qualcosa d'altro|altro$|altre domande|un'altra domanda",
        counts=(
            "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici"
            " quattordici quindici sedici diciassette diciotto diciannove venti"
        ),
    ),
    "nl": ConsentWords(
        yes=(
            "ja|jazeker|jawel|zeker|natuurlijk|tuurlijk|graag|goed|prima|precies|klopt|dat klopt"
            "|juist|correct|akkoord|oké|oke|ok|okay|perfect|in orde|doe maar|doe dat maar"
            "|ga uw gang"
            "|ga je gang|dat is goed|ik bevestig|bevestigd|absoluut|helemaal goed|dat is prima"
            "|dat past"
        ),
        no=(
            "nee|neen|niet|niets|niks|nooit|geen|wacht|stop|liever|in plaats|verkeerd|fout|onjuist"
            "|laat maar|vergeet het|zonder|toch niet"
        ),
        wavers=(
            "maar|behalve|tenzij|als|misschien|waarschijnlijk|ik denk|ik geloof|hangt ervan af|eh+"
            "|uh+|hm+|eerst|later|alleen|wat|wanneer|waar|welke?|hoe|waarom|of|mits|zolang"
        ),
        harmless=("geen probleem|geen bezwaar|niets op tegen|waarom niet|geen punt|maakt niet uit"),
        beside=(
            "alstublieft|alsjeblieft|dank|u|je|wel|bedankt|dat|het|is|ik|mij|me|de|een|en|dan|zo"
            "|graag"
            "|boek|boeken|afspraak|wil|mooi|fijn|heel|hoor|doe|uur|om|alles"
        ),
        undoes=r"annul\w*|afzeggen|afzeg|zeg \w+ af|verwijder\w*|schrap\w*",
        changes=r"wijzig\w*|verander\w*|verzet\w*|verplaats\w*|verschuif\w*",
        more="nog iets|verder nog|iets anders|nog vragen|andere vragen|verder helpen",
        counts=(
            "nul een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien"
            " vijftien zestien zeventien achttien negentien twintig"
        ),
    ),
    "hi": ConsentWords(
        yes=(
            "हाँ|हां|जी|जी हाँ|जी हां|हाँ जी|हां जी|ठीक|ठीक है|सही|सही है|बिल्कुल|बिलकुल|ज़रूर"
            "|जरूर|कर दो"
            "|कर दीजिए|कर दें|अच्छा|मंज़ूर|मंजूर|पक्का|हो जाए|ओके|हा|ok|okay|haan?|haan ji|ji"
            "|ji haan|theek hai|thik hai|bilkul|sahi hai"
            "|kar do|kar dijiye|zaroor|accha"
        ),
        no=(
            "नहीं|नही|ना|न|मत|रुको|रुकिए|रुकें|रहने दो|रहने दीजिए|गलत|ग़लत|कभी नहीं|बजाय|बिना|छोड़ो"
            "|nah[iī]n?|na|mat|ruko|rukiye|galat"
        ),
        wavers=(
            "लेकिन|मगर|पर|शायद|अगर|यदि|सोचता|सोचती|पहले|बाद|सिर्फ|केवल|क्या|कब|कहाँ|कहां|कौन"
            "|कितना|कैसे"
            "|क्यों|या|हम्म|lekin|magar|par|shayad|agar|kya|kab|kitna|kaise|kyon?|baad|pehle"
        ),
        harmless="कोई बात नहीं|कोई दिक्कत नहीं|कोई समस्या नहीं|कोई परेशानी नहीं|क्यों नहीं",
        beside="कृपया|धन्यवाद|शुक्रिया|मेहरबानी|है|हैं|यह|ये|वह|मुझे|मैं|मेरा|मेरी|बुक|कर|करें|करो|दो|दीजिए|और|जी|प्लीज़|प्लीज|please|shukriya|dhanyavaad|book",
        undoes="रद्द|कैंसिल|कैंसल|हटा|cancel",
        changes="बदल|बदलें|बदलो|बदलिए|change",
        more="और कुछ|कुछ और|कोई और सवाल|कोई और मदद|और कोई मदद",
        counts=(
            "शून्य एक दो तीन चार पाँच छह सात आठ नौ दस ग्यारह बारह तेरह चौदह पंद्रह सोलह सत्रह अठारह"
            " उन्नीस बीस"
        ),
    ),
    "ja": ConsentWords(
        yes=(
            "はい|ええ|うん|そうです|その通り|お願いします|お願い|いいです|いいですよ|大丈夫です|承知しました"
            "|了解|了解です|それで結構です|もちろん|オーケー|かまいません|構いません|分かりました"
            "|わかりました|どうぞ|よろしいです|よろしくお願いします"
            "|よろしくお願いいたします|お願いいたします|お願い致します|いいよ|オッケー"
            "|合っています|間違いない|間違いないです"
            "|間違いありません|間違いございません"
            "|合ってます"
        ),
        no=(
            "いいえ|いや|いえ|もういい|違|ちが|ない|ません|だめ|ダメ|やめ|待って|ちょっと待|待ち|不要|別の|遠慮|また今度"
        ),
        wavers="でも|けど|ただ|たぶん|多分|かも|もし|えーと|うーん|いつ|どこ|何|なに|どう(?!ぞ)|いくら|なぜ|か$|かな",
        harmless="問題ありません|問題ない|かまいません|構いません|すみません|差し支えありません",
        beside=(
            "結構|で|に|を|が|は|と|も|よ|ね|の|です|ます|それ|これ|その|この|ありがとう|ございます|予約|してください"
            "|ください|して|まで|から|すみません|、|。"
        ),
        undoes="キャンセル|取り消|取消|中止",
        changes="変更|変え|ずら|移し",
        more="ほかに|他に|その他",
        counts=(
            "零 一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九 二十"
        ),
        spaced=False,
    ),
}

LANGUAGES: Final = tuple(_WORDS)


@cache
def words_for(language: str) -> ConsentWords:
    """See the module."""
    words = _WORDS.get(language.partition("-")[0].lower())
    if words is not None:
        return words
    spaced = [each for each in _WORDS.values() if each.spaced]
    return ConsentWords(
        yes="|".join([*(each.yes for each in spaced), _WORDS["ja"].yes, "tak|да"]),
        no="|".join([*(each.no for each in spaced), "нет|nie|いいえ"]),
        wavers="|".join(each.wavers for each in spaced),
        harmless="|".join(each.harmless for each in _WORDS.values()),
        beside="|".join(each.beside for each in spaced),
        undoes="|".join(each.undoes for each in _WORDS.values()),
        changes="|".join(each.changes for each in _WORDS.values()),
        more="|".join(each.more for each in _WORDS.values()),
        counts="",
    )
