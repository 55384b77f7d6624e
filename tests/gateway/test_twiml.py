"""TwiML documents: what Twilio reads is what was meant, or a ValueError says why not."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.gateway import twiml

xml_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n\r<>&\"'"),
    max_size=60,
)


def parse(document: str) -> ElementTree.Element:
    return ElementTree.fromstring(document.encode())


def test_a_redirect_has_its_fallback_behind_it() -> None:
    root = parse(twiml.redirect("https://a.example/?a=1&b=2", "https://b.example/"))
    assert [(verb.tag, verb.text) for verb in root] == [
        ("Redirect", "https://a.example/?a=1&b=2"),
        ("Redirect", "https://b.example/"),
    ]


def test_a_caller_is_held_before_the_next_question() -> None:
    pause, redirect = parse(twiml.wait(2, "https://a.example/?a=1&b=2"))
    assert (pause.tag, pause.attrib) == ("Pause", {"length": "2"})
    assert (redirect.tag, redirect.text) == ("Redirect", "https://a.example/?a=1&b=2")


class TestConnectStream:
    @given(st.dictionaries(xml_text, xml_text, max_size=4), xml_text)
    def test_parameters_and_redirect_are_read_back_as_given(
        self, parameters: dict[str, str], redirect: str
    ) -> None:
        root = parse(twiml.connect_stream("wss://a.example/media", parameters, redirect))
        assert [verb.tag for verb in root] == ["Connect", "Redirect"]
        stream = root.find("Connect/Stream")
        assert stream is not None and stream.get("url") == "wss://a.example/media"
        assert {p.get("name"): p.get("value") for p in stream} == parameters
        assert (root.findtext("Redirect") or "") == redirect

    @pytest.mark.parametrize("length", [499, 500])
    def test_name_and_value_stay_under_500_characters(self, length: int) -> None:
        parameters = {"token": "s" * (length - len("token"))}
        if length < twiml.MAX_PARAMETER_CHARS:
            twiml.connect_stream("wss://a.example/media", parameters, "/incoming")
        else:
            with pytest.raises(ValueError, match="token") as refusal:
                twiml.connect_stream("wss://a.example/media", parameters, "/incoming")
            assert "ssss" not in str(refusal.value)

    @pytest.mark.parametrize("url", ["https://a.example/media", "/media", "wss:///media", ""])
    def test_an_address_that_is_no_websocket_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="wss://"):
            twiml.connect_stream(url, {}, "/incoming")

    @pytest.mark.parametrize("tail", ["?token=s3cret", "#s3cret"])
    def test_an_address_with_query_or_fragment_is_refused_without_showing_it(
        self, tail: str
    ) -> None:
        with pytest.raises(ValueError, match="parameters") as refusal:
            twiml.connect_stream(f"wss://a.example/media{tail}", {}, "/incoming")
        assert "s3cret" not in str(refusal.value)

    def test_a_character_that_xml_cannot_hold_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"'name'.*U\+0007"):
            twiml.connect_stream("wss://a.example/media", {"name": "\x07"}, "/incoming")


class TestSayHangup:
    @given(xml_text)
    def test_says_the_text_then_hangs_up(self, text: str) -> None:
        root = parse(twiml.say_hangup(text))
        assert [verb.tag for verb in root] == ["Say", "Hangup"]
        assert (root.findtext("Say") or "") == text


class TestReject:
    @pytest.mark.parametrize("reason", ["rejected", "busy"])
    def test_names_the_reason(self, reason: str) -> None:
        root = parse(twiml.reject(reason))  # type: ignore[arg-type]
        assert [(verb.tag, verb.get("reason")) for verb in root] == [("Reject", reason)]


@given(xml_text, xml_text)
def test_a_dial_names_the_action_the_time_and_the_number(action: str, caller: str) -> None:
    (dial,) = parse(twiml.dial("+14155550199", action, seconds=20, caller_id=caller))
    shown = {"callerId": caller} if caller else {}
    assert dial.attrib == {"action": action, "timeout": "20", **shown}
    assert [(noun.tag, noun.text, noun.attrib) for noun in dial] == [("Number", "+14155550199", {})]


def test_a_dial_to_a_sip_address_may_have_something_said_first() -> None:
    (dial,) = parse(twiml.dial("sips:b@example.org", "/a", seconds=5, whisper="/w?a=1&b=2"))
    assert [(noun.tag, noun.attrib) for noun in dial] == [("Sip", {"url": "/w?a=1&b=2"})]


def test_words_of_the_carriers_hold_the_caller_before_the_stream() -> None:
    root = parse(twiml.connect_stream("wss://a.example/media", {}, "/again", words="One moment."))
    assert [(verb.tag, verb.text) for verb in root] == [
        ("Say", "One moment."),
        ("Pause", None),
        ("Say", "One moment."),
        ("Pause", None),
        ("Say", "One moment."),
        ("Connect", None),
        ("Redirect", "/again"),
    ]
