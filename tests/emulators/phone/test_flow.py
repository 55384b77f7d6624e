"""A call's way through TwiML."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aybiza.emulators.phone.flow import (
    MAX_REDIRECTS,
    OUTCOMES,
    Ending,
    Fetch,
    Flow,
    Order,
    Party,
    Wait,
)
from aybiza.emulators.phone.webhook import ConnectStream, WebhookError, read_twiml

URL = "https://node.example/incoming"
STREAM = '<Connect><Stream url="wss://node.example/media"/></Connect>'
PERSON = "+15550199"


def document(flow: Flow, *verbs: str) -> Order:
    return flow.document(read_twiml(f"<Response>{''.join(verbs)}</Response>", URL))


def test_a_call_asks_its_webhook_and_goes_on_with_what_it_says() -> None:
    flow = Flow()
    assert flow.begin(URL) == Fetch(URL, "ringing")
    order = document(flow, "<Say>One moment.</Say>", STREAM, "<Redirect>/again</Redirect>")
    assert isinstance(order, ConnectStream) and order.url == "wss://node.example/media"
    assert flow.told == ["says: One moment."]
    again = flow.stream_ended(Ending("the agent closed the stream", clean=True))
    assert again == Fetch("https://node.example/again")


def test_behind_a_stream_its_action_is_asked_in_place_of_the_next_verb() -> None:
    flow = Flow()
    document(flow, STREAM.replace("<Connect>", '<Connect action="/over">'), "<Say>No.</Say>")
    assert flow.stream_ended(Ending("over")) == Fetch("https://node.example/over")
    assert flow.told == []


def test_at_the_end_of_the_verbs_the_call_is_over_as_the_stream_ended() -> None:
    flow = Flow()
    document(flow, STREAM)
    ending = Ending("the agent closed the stream", clean=True)
    assert flow.stream_ended(ending) == ending


DIAL = f'<Dial action="/dialled" timeout="20"><Number>{PERSON}</Number></Dial><Say>Behind.</Say>'


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_whatever_becomes_of_a_dialled_party_the_action_is_told(outcome: str) -> None:
    flow = Flow({PERSON: Party(outcome, ring_s=3.0, talk_s=60.0)})
    order = document(flow, DIAL)
    assert order == Wait(63.0 if outcome == "completed" else 3.0)
    fetch = flow.waited()
    assert isinstance(fetch, Fetch) and fetch.url == "https://node.example/dialled"
    told = "busy" if outcome == "declined" else outcome
    assert fetch.fields["DialCallStatus"] == told
    assert ("DialCallDuration" in fetch.fields) == (outcome == "completed")
    assert flow.dialled == [(PERSON, told)]
    assert isinstance(document(flow, STREAM), ConnectStream)


def test_a_party_that_rings_longer_than_the_timeout_does_not_answer() -> None:
    flow = Flow({PERSON: Party(ring_s=45.0)})
    assert document(flow, DIAL) == Wait(20.0)
    fetch = flow.waited()
    assert isinstance(fetch, Fetch) and fetch.fields["DialCallStatus"] == "no-answer"


def test_a_number_that_nobody_has_fails_and_without_an_action_the_next_verb_follows() -> None:
    flow = Flow()
    assert isinstance(document(flow, f"<Dial>{PERSON}</Dial>", "<Say>Sorry.</Say>"), Wait)
    ending = flow.waited()
    assert isinstance(ending, Ending) and not ending.clean
    assert flow.told[-1] == "says: Sorry."


def test_after_a_dialled_call_without_an_action_the_call_ends_cleanly() -> None:
    flow = Flow({PERSON: Party()})
    document(flow, f"<Dial>{PERSON}</Dial>")
    assert flow.waited() == Ending(f"the call with {PERSON} was over", clean=True)


def test_keys_are_gathered_as_far_as_they_are_wanted() -> None:
    flow = Flow(digits=("1234", "56#7"))
    gather = '<Gather action="/keys" numDigits="2"><Say>Press two.</Say></Gather>'
    assert document(flow, gather) == Wait(0.0)
    assert flow.waited() == Fetch("https://node.example/keys", fields={"Digits": "12"})
    assert flow.told == ["says: Press two.", "the caller presses keys"]
    document(flow, "<Gather/>")
    assert flow.waited() == Fetch(URL, fields={"Digits": "56"})
    # Nobody presses anything: after the time the next verb follows.
    assert document(flow, '<Gather timeout="3"/>', "<Hangup/>") == Wait(3.0)
    assert flow.waited() == Ending("the agent hung up", clean=True)


def test_pauses_play_and_hangups() -> None:
    flow = Flow()
    assert document(flow, "<Play>hold.wav</Play>", '<Pause length="2"/>', "<Hangup/>") == Wait(2.0)
    assert flow.waited() == Ending("the agent hung up", clean=True)
    assert document(Flow(), '<Reject reason="busy"/>') == Ending(
        "the agent rejected the call (busy)"
    )


def test_redirects_have_an_end() -> None:
    flow = Flow()
    for _ in range(MAX_REDIRECTS):
        assert isinstance(document(flow, f"<Redirect>{URL}</Redirect>"), Fetch)
    ending = document(flow, f"<Redirect>{URL}</Redirect>")
    assert ending == Ending(f"the call was redirected more than {MAX_REDIRECTS} times")


@pytest.mark.parametrize(
    "verbs",
    ["<Dance/>", "<Dial/>", '<Dial timeout="soon">1</Dial>', "<Gather><Dial>1</Dial></Gather>",
     '<Gather numDigits="x"/>', "<Connect/>"],
)  # fmt: skip
def test_what_twilio_does_not_take_says_where_it_stands(verbs: str) -> None:
    with pytest.raises(WebhookError, match=URL):
        document(Flow(), verbs)


def test_a_webhook_without_an_answer_ends_the_call() -> None:
    assert Flow().failed("cannot reach it") == Ending("cannot reach it")


def test_an_outcome_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="outcome is one of completed"):
        Party("bussy")


VERBS = st.sampled_from(
    [STREAM, "<Say>a</Say>", '<Pause length="1"/>', "<Play>a</Play>", DIAL, "<Gather/>",
     f"<Redirect>{URL}</Redirect>", "<Hangup/>", f"<Dial>{PERSON}</Dial>"]
)  # fmt: skip


@given(st.lists(st.lists(VERBS, max_size=4), min_size=1, max_size=6))
def test_every_call_comes_to_its_end(documents: list[list[str]]) -> None:
    flow = Flow({PERSON: Party()}, digits=("1",))
    waiting = iter([*documents, *[["<Hangup/>"]] * 200])
    order = flow.begin(URL)
    for _ in range(500):
        match order:
            case Ending():
                return
            case Fetch():
                order = document(flow, *next(waiting))
            case Wait():
                order = flow.waited()
            case ConnectStream():
                order = flow.stream_ended(Ending("over"))
    raise AssertionError("the call does not end")
