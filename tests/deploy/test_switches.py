"""FreeSWITCH and Asterisk: their files speak of the same things as the adapters."""

import json
import re
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from aybiza.config.settings import FIELDS
from aybiza.gateway.carriers.codec import Dtmf, Start
from aybiza.gateway.carriers.freeswitch_codec import FAREWELL, FreeSwitchCodec
from aybiza.gateway.carriers.paths import CARRIERS
from aybiza.gateway.control import esl, manager
from tests.deploy.kit import settings, text_of

LUA = text_of("freeswitch/aybiza.lua")
DIALPLAN = text_of("freeswitch/aybiza.xml")
ASTERISK = text_of("asterisk/extensions.conf")


def formats() -> list[str]:
    """The JSON that the script makes."""
    return list(re.findall(r"'(\{.*?\})'", LUA))


def test_the_metadata_of_the_script_is_a_start() -> None:
    text = formats()[0] % ("9b7ac42e-6a5b-4f3e-8d8e-9e3a1f0b6c21", "1001", "5000")
    (event,) = FreeSwitchCodec().decode(text)
    assert isinstance(event, Start)
    assert dict(event.custom_parameters) == {"From": "1001", "To": "5000"}
    assert " " not in text, "a space would end the argument"


def test_a_key_of_the_script_is_a_key() -> None:
    codec = FreeSwitchCodec()
    codec.decode(json.dumps({"call": "c"}))
    assert codec.decode(formats()[1] % "#") == (Dtmf("#"),)


def test_the_script_knows_the_farewell_of_the_node() -> None:
    (word,) = re.findall(r'body:find\("(\w+)"', LUA)
    assert word in json.loads(FAREWELL)["data"]["reason"]


def test_the_fork_is_started_for_audio_both_ways_at_the_lines_rate() -> None:
    start = re.findall(r"local start = table\.concat\(\{\n\s+(.*?)\n", LUA)[0]
    assert start == 'uuid, "start", url, "mono", RATE, BUG, metadata(), "true", "true", RATE'
    assert 'RATE = "8000"' in LUA


def test_the_dialplan_sends_calls_to_the_door_of_freeswitch() -> None:
    actions = ElementTree.fromstring(DIALPLAN).iter("action")
    applications = [(action.get("application"), action.get("data", "")) for action in actions]
    (address,) = [data for app, data in applications if data.startswith("aybiza_url=")]
    url = urlsplit(address.removeprefix("aybiza_url="))
    assert url.path == CARRIERS["freeswitch"].path
    assert url.port == FIELDS["AYBIZA_MEDIA_PORT"].default
    assert ("lua", "aybiza.lua") in applications
    names = [app for app, _ in applications]
    assert names.index("answer") < names.index("lua") < names.index("hangup")
    assert 'getVariable("aybiza_url")' in LUA


@pytest.mark.parametrize("text", [DIALPLAN, ASTERISK])
def test_the_settings_that_a_switch_needs_can_be_set(text: str) -> None:
    for variable, value in re.findall(r"(AYBIZA_[A-Z_]+)=([\w:]+(?:[.,][\w:]+)*)", text):
        settings({variable: value})


def test_the_brackets_of_the_script_close() -> None:
    bare = re.sub(r"--.*|'[^'\n]*'|\"[^\"\n]*\"", "", LUA)
    words = re.findall(r"\b(function|if|while|for|do|end|then|repeat|until)\b", bare)
    opened = sum(words.count(word) for word in ("function", "if", "while", "for"))
    assert opened == words.count("end")
    for opening, closing in ("()", "{}"):
        assert bare.count(opening) == bare.count(closing)


def steps() -> list[tuple[str, str]]:
    """Asterisk's priorities: label and application, in order."""
    return re.findall(r"^(?:exten => s,1| same => n(?:\((\w+)\))?),(.*)$", ASTERISK, re.M)


def test_every_jump_of_asterisk_lands() -> None:
    labels = {label for label, _ in steps() if label}
    targets = [
        target
        for _, application in steps()
        for target in re.findall(r"^Goto\((\w+)\)|\?(\w+)\)$", application)
    ]
    wanted = {word for target in targets for word in target if word}
    assert wanted == labels and wanted


def test_the_call_keeps_its_id_over_all_its_rounds() -> None:
    order = [application for _, application in steps()]
    made = [at for at, application in enumerate(order) if "${UUID()}" in application]
    label = [at for at, (name, _) in enumerate(steps()) if name == "connect"]
    assert len(made) == 1 and made[0] < label[0]
    (socket,) = [application for application in order if "AudioSocket(" in application]
    assert socket == "TryExec(AudioSocket(${CALL},${AYBIZA}))"


def test_asterisk_answers_first_and_hangs_up_last() -> None:
    order = [application for _, application in steps()]
    assert order.index("Answer()") < order.index("TryExec(AudioSocket(${CALL},${AYBIZA}))")
    assert order[-1] == "Hangup()"


def test_the_port_of_asterisk_is_the_one_that_the_node_is_told() -> None:
    port = re.findall(r"AYBIZA_AUDIOSOCKET_PORT=(\d+)", ASTERISK)
    assert re.findall(r"^AYBIZA=\S+:(\d+)$", ASTERISK, re.M) == port


def test_a_transfer_by_asterisk_goes_where_the_node_sends_it_and_tells_what_came_of_it() -> None:
    transfer = ASTERISK.partition(f"[{manager.CONTEXT}]")[2]
    assert f"UserEvent({manager.TOLD},Call: ${{CALL}},Status: ${{DIALSTATUS}},Cause: " in transfer
    assert "${PUT_TO}" in transfer and "${PUT_SECONDS}" in transfer
    told = transfer.index("UserEvent(")
    assert transfer.index("Dial(") < told < transfer.index("Wait(") < transfer.index("Goto(aybiza,")


def test_a_transfer_by_freeswitch_goes_where_the_node_sends_it_and_comes_back() -> None:
    (found,) = [
        extension
        for extension in ElementTree.fromstring(DIALPLAN).iter("extension")
        if extension.get("name") == esl.EXTENSION
    ]
    first = found.find("condition")
    assert first is not None and re.match(first.get("expression", ""), esl.EXTENSION)
    acts = [(one.get("application"), one.get("data", "")) for one in found.iter("action")]
    names = [name for name, _ in acts]
    assert names.index("bridge") < names.index("sleep") < names.index("lua")
    assert {("set", "continue_on_fail=true"), ("set", "hangup_after_bridge=true")} <= set(acts)
    assert "${aybiza_to}" in DIALPLAN and "${aybiza_seconds}" in DIALPLAN
