"""Twilio's side of the webhook: TwiML read, requests signed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.webhook import (
    ConnectStream,
    Hangup,
    Pause,
    Redirect,
    Say,
    WebhookError,
    post,
    read_twiml,
    signature,
)
from aybiza.gateway import twiml

BASE = "http://127.0.0.1:3000/incoming"
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=40)


class TestReadTwiml:
    @given(st.dictionaries(VALUES, VALUES, max_size=3))
    def test_reads_the_gateways_answer(self, parameters: dict[str, str]) -> None:
        document = twiml.connect_stream("wss://a.example/media", parameters, "/incoming?again=1")
        assert read_twiml(document, BASE) == [
            ConnectStream("wss://a.example/media", parameters),
            Redirect("http://127.0.0.1:3000/incoming?again=1"),
        ]

    @pytest.mark.parametrize(
        ("verbs", "expected"),
        [
            ("<Say>Sorry.</Say><Hangup/>", [Say("Sorry."), Hangup()]),
            ("<Pause length='2'/>", [Pause(2)]),
            ("<Reject/>", [Hangup("rejected")]),
            ("<Reject reason='busy'/>", [Hangup("busy")]),
            ("<Redirect> http://b.example/x </Redirect>", [Redirect("http://b.example/x")]),
            (
                "<Connect><Stream url='/media'/></Connect>",
                [ConnectStream("ws://127.0.0.1:3000/media", {})],
            ),
            ("", []),
        ],
    )
    def test_reads_every_verb(self, verbs: str, expected: list[object]) -> None:
        assert read_twiml(f"<Response>{verbs}</Response>", BASE) == expected

    @pytest.mark.parametrize(
        ("document", "complaint"),
        [
            ("", "not XML"),
            ("<Response>", "not XML"),
            ("<Answer/>", "<Answer>, not <Response>"),
            ("<Response><Dance/></Response>", "<Dance>"),
            ("<Response><Connect/></Response>", "without a <Stream url>"),
            ("<Response><Connect><Stream/></Connect></Response>", "without a <Stream url>"),
            (
                "<Response><Connect><Stream url='wss://a/m?x=1'/></Connect></Response>",
                "without a query",
            ),
            ("<Response><Connect><Stream url='http://a/m'/></Connect></Response>", "wss only"),
            ("<Response><Pause length='long'/></Response>", "<Pause length='long'>"),
        ],
    )
    def test_what_twilio_would_not_take_is_told_with_its_address(
        self, document: str, complaint: str
    ) -> None:
        with pytest.raises(WebhookError, match=complaint) as refusal:
            read_twiml(document, BASE)
        assert BASE in str(refusal.value)


class TestSignature:
    def test_is_that_of_twilios_documentation(self) -> None:
        fields = {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+14158675309",
            "Digits": "1234",
            "From": "+14158675309",
            "To": "+18005551212",
        }
        url = "https://mycompany.com/myapp.php?foo=1&bar=2"
        for order in (fields, dict(reversed(fields.items()))):
            assert signature("12345", url, order) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="

    def test_depends_on_token_address_and_fields(self) -> None:
        variants = [("a", "u", {"k": "v"}), ("b", "u", {"k": "v"}), ("a", "x", {"k": "v"})]
        variants += [("a", "u", {"k": "w"}), ("a", "u", {})]
        assert len({signature(*variant) for variant in variants}) == len(variants)


async def test_an_address_that_cannot_be_posted_to_is_told() -> None:
    with pytest.raises(WebhookError, match="htp://nowhere"):
        await post("htp://nowhere", {}, None)


@pytest.mark.parametrize(
    "inner", ['<Connect><Stream url="wss://[x/m"/></Connect>', "<Redirect>//[</Redirect>"]
)
def test_an_address_that_is_none_is_told(inner: str) -> None:
    with pytest.raises(WebhookError, match="cannot be read"):
        read_twiml(f"<Response>{inner}</Response>", "https://phone.example.org/incoming")
