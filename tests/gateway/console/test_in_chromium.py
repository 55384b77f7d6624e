"""The console and the softphone in a browser, as people use them. Skipped where there is none."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aybiza.actors import names
from aybiza.actors.memory.sqlite_store import SqliteStore
from aybiza.benchmarks.chromium import Chromium, browser
from aybiza.dialogue.journal import Ended, decode
from aybiza.emulators.textaudio import encode
from aybiza.faults.desk import Answers
from aybiza.gateway.console.hub import hub
from tests.call.kit import World, world
from tests.call.steps import stay, text
from tests.gateway.console.browsers import needs_chromium
from tests.slowness import slowness

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.real_time, needs_chromium]

HOURS = "What are your hours?"
MARKUP = "<img src=x onerror=alert(1)>"
STORY = "There was a lighthouse on a rock. " + "The keeper had not seen a ship. " * 8
ANSWERS: Answers = {
    HOURS: ["We open at nine. On Saturdays we close at noon."],
    MARKUP: [f"You said {MARKUP} to me."],
    "Tell me a story.": [STORY],
}

# What the microphone brings is silence, until the test says something: the codes of its text go
# into the frames that the page sends.
VOICE = """
(() => {
  const send = WebSocket.prototype.send;
  window.sent = [];
  window.words = [];
  WebSocket.prototype.send = function (data) {
    const message = JSON.parse(data);
    if (message.event === "media") {
      window.spoken = (window.spoken ?? 0) + 1;
      const codes = [...atob(message.media.payload)].map((code) => code.charCodeAt(0) & 127);
      window.loudest = Math.min(window.loudest ?? 127, ...codes);
      if (window.words.length) message.media.payload = window.words.shift();
    } else window.sent.push(message);
    return send.call(this, JSON.stringify(message));
  };
})();
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(tmp_path_factory.mktemp("place"), answers=ANSWERS) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chromium]:
    async with browser(tmp_path_factory.mktemp("browser")) as made:
        yield made


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def _tabs_are_closed(chromium: Chromium) -> AsyncIterator[None]:
    yield
    await chromium.close_pages()


def shows(selector: str, words: str) -> str:
    return (
        f"document.querySelector({json.dumps(selector)}).textContent.includes({json.dumps(words)})"
    )


async def test_a_call_is_seen_its_actor_killed_with_a_click_and_its_restart_seen(
    place: World, chromium: Chromium
) -> None:
    page = await chromium.page(f"{place.node.http_url}/console")
    await page.until("document.querySelectorAll('#tree-body tr').length > 10")
    async with place.call(text(HOURS), text(MARKUP, after="noon"), stay()) as call:
        await page.click(f"tr[data-call={call.call_id}] button")
        await page.until(shows("#transcript", "On Saturdays we close at noon."))
        await page.until(shows("#transcript", f"You said {MARKUP} to me."))
        assert await page.run("document.querySelector('#transcript img')") is None
        await page.click("#span-300")
        await page.until(DRAWN.strip())
        before = place.vm.whereis(names.call(call.call_id))
        assert before is not None
        await page.click(f"tr[data-serial='{before.serial}'] .own-name")
        await page.click("#kill")
        await page.until(shows("#process-state", "took its place"))
        after = place.vm.whereis(names.call(call.call_id))
        assert after not in (None, before)
        assert after is not None
        row = f"tr[data-serial='{after.serial}']"
        await page.until(f"document.querySelector(\"{row} td:nth-child(5)\").textContent === '1'")
        await page.until(shows("#news", f"call:{call.call_id} was started again"))
        await page.until(f"document.querySelector(\"{row}\").ariaSelected === 'true'")
        await page.click("#hangup")
        report = await call.over()
    assert report.streams[-1].close_code == 1000
    await page.until(f"!document.querySelector('tr[data-call={call.call_id}]')")
    await page.until(shows("#process-state", "it has ended"))
    assert await page.run("document.querySelector('#kill').ariaDisabled") == "true"
    await page.click("#show-past")
    await page.click(f"tr[data-past={call.call_id}] button")
    await page.until(shows("#call-facts", "hangup"))
    await page.until(shows("#transcript", f"You said {MARKUP} to me."))
    assert page.problems == []


DRAWN = """
(() => {
  const canvas = document.querySelector("#timeline");
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const [caller, agent] = [[0, 0], [0, 0]];
  for (let at = 0; at < data.length; at += 4) {
    const below = at / 4 / width > height / 2 ? 1 : 0;
    const [r, g, b] = [data[at], data[at + 1], data[at + 2]];
    if (b > r + 100 && b > g + 80) caller[below] += 1;
    if (g > r + 60 && g > b + 20) agent[below] += 1;
  }
  return caller[0] > 10 && agent[1] > 10 && agent[0] === 0;
})()
"""
"""Whether the timeline has the caller above the line, and the agent below it."""

POINTS = 10_000
DRAW = f"""
(async () => {{
  document.querySelectorAll(".plot").forEach((each) => each.replaceChildren());
  const {{ Plots }} = await import("/console/plots.js");
  const plots = new Plots();
  const point = (at) => [1.7e9 + 5 * at, at % 200, at % 3, 0.2 + (at % 50) / 100, 0.9, at / 1e5];
  plots.add(Array.from({{ length: {POINTS} }}, (_, at) => point(at)));
  const took = [];
  for (let at = 0; at < 40; at++) {{
    plots.add([point({POINTS} + at)]);
    const began = performance.now();
    plots.draw();
    await null;  // where uPlot draws
    took.push(performance.now() - began);
    await new Promise(requestAnimationFrame);
  }}
  took.sort((one, other) => one - other);
  return [took[0], plots.columns[0].length, document.querySelectorAll(".plot canvas").length];
}})()
"""
FRAME_MS = 1000 / 60


async def test_four_plots_of_ten_thousand_points_can_be_drawn_within_a_frame(
    place: World, chromium: Chromium
) -> None:
    page = await chromium.page(f"{place.node.http_url}/console")
    await page.until("document.querySelectorAll('.plot canvas').length === 4")
    took, points, drawn = await page.run(DRAW)
    assert (points, drawn) == (POINTS, 4)
    assert took < FRAME_MS * slowness()
    assert page.problems == []


async def test_a_process_is_traced_with_a_click_and_shows_what_it_gets(
    place: World, chromium: Chromium
) -> None:
    page = await chromium.page(f"{place.node.http_url}/console")
    pid = place.vm.whereis(names.METRICS)
    assert pid is not None
    await page.until("document.querySelectorAll('#tree-body tr').length > 10")
    await page.click(f"tr[data-serial='{pid.serial}'] .own-name")
    await page.click("#trace")
    await page.until(shows("#process-state", "it is traced"))
    place.vm.cast(names.METRICS, ("increment", MARKUP, {}, 1))
    await page.until(shows("#traced", "cast  (<str of 9>, <str of 28>, {}, 1)"))
    await page.click("#trace")
    await page.until(shows("#process-state", "it is traced no longer"))
    assert pid.serial not in place.vm.debugged
    assert page.problems == []


HIDE_OR_SHOW = """
Object.defineProperty(document, "visibilityState", { value: "STATE", configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
"""


async def test_a_page_that_is_hidden_gives_its_connection_back_and_comes_again(
    place: World, chromium: Chromium
) -> None:
    held = hub(place.vm)
    assert held is not None
    await place.until(lambda: not held.viewers)
    page = await chromium.page(f"{place.node.http_url}/console")
    await page.until("document.querySelectorAll('#tree-body tr').length > 10")
    await page.run(HIDE_OR_SHOW.replace("STATE", "hidden"))
    await place.until(lambda: not held.viewers)
    await page.run(HIDE_OR_SHOW.replace("STATE", "visible"))
    await place.until(lambda: len(held.viewers) == 1)
    await page.until("document.querySelectorAll('#tree-body tr').length > 10")
    assert page.problems == []


async def test_a_seventh_page_that_is_to_be_seen_is_told_and_obeyed_as_the_first_is(
    place: World, chromium: Chromium
) -> None:
    address = f"{place.node.http_url}/console"
    pages = [await chromium.page(address, window=True) for _ in range(7)]
    for page in pages:
        await page.until("document.visibilityState === 'visible'")
        await page.until("document.querySelectorAll('#tree-body tr').length > 10")
    held = hub(place.vm)
    assert held is not None
    await place.until(lambda: len(held.viewers) == len(pages))
    seventh = pages[-1]
    pid = place.vm.whereis(names.METRICS)
    assert pid is not None
    await seventh.click(f"tr[data-serial='{pid.serial}'] .own-name")
    await seventh.click("#restart")
    await seventh.until(shows("#process-state", "took its place"))
    for page in pages:
        await page.until(shows("#news", "metrics was started again"))
        assert page.problems == []


async def test_the_tree_is_walked_with_keys_alone(place: World, chromium: Chromium) -> None:
    page = await chromium.page(f"{place.node.http_url}/console")
    await page.until("document.querySelectorAll('#tree-body tr').length > 10")
    await page.run("document.querySelector('#tree-body tr[tabindex=\"0\"]').focus()")
    first = await page.run("document.activeElement.textContent")
    await page.press("ArrowLeft")
    await page.until("document.activeElement.getAttribute('aria-expanded') === 'false'")
    await page.until("document.querySelectorAll('#tree-body tr:not([hidden])').length === 1")
    await page.press("ArrowRight")
    await page.until("document.querySelectorAll('#tree-body tr:not([hidden])').length > 10")
    await page.press("ArrowDown")
    assert await page.run("document.activeElement.textContent") != first
    assert await page.run("document.activeElement.getAttribute('aria-level')") == "2"
    await page.press("Enter")
    await page.until("document.querySelector('#process').checkVisibility()")
    await page.until(shows("#process-facts", "mailbox length"))
    assert await page.run(NAMELESS) == []
    assert page.problems == []


NAMELESS = """
[...document.querySelectorAll('button, input, textarea, canvas, table, section, meter, [role]')]
  .filter((e) => e.checkVisibility() && !e.closest("[aria-hidden='true']"))
  .filter((e) => !['row', 'gridcell', 'rowgroup', 'status', 'columnheader'].includes(e.role))
  .filter((e) => !e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')
    && !e.labels?.length && !e.textContent.trim())
  .map((e) => e.outerHTML.slice(0, 80))
"""
"""What nobody can name who does not see it."""


async def test_a_whole_conversation_is_held_on_the_softphone(
    place: World, chromium: Chromium
) -> None:
    page = await chromium.page(f"{place.node.http_url}/console/phone", first=VOICE)
    await page.click("#call")
    await page.until(shows("#state", "connected"))
    await page.until(shows("#transcript", "Welcome to the front desk"))
    # The fake microphone beeps: the frames have the pace of a telephone's, and sound.
    await page.until("window.spoken > 60")
    await page.until("window.loudest < 100")
    await page.click("#mute")
    await page.run(f"window.words.push(...{_frames(HOURS)})")
    await page.until(shows("#transcript", HOURS))
    await page.until(shows("#transcript", "On Saturdays we close at noon."))
    await page.until("!document.querySelector('#transcript .agent.open')")
    await page.run(f"window.words.push(...{_frames('Tell me a story.')})")
    await page.until(shows("#transcript", "lighthouse"))
    await page.run(f"window.words.push(...{_frames('Stop, please.')})")
    await page.until(shows("#transcript", "the caller broke in"))
    await page.until(shows("#transcript", "You said, Stop, please."))
    await page.click("#keys button:nth-child(5)")
    await page.until("window.sent.some((m) => m.event === 'dtmf' && m.dtmf.digit === '5')")
    start = await page.run("window.sent.find((m) => m.event === 'start').start")
    assert place.vm.whereis(names.call(start["callSid"])) is not None
    await page.click("#hangup")
    await page.until(shows("#state", "the call is over"))
    await place.until(lambda: place.labels() == place.idle)
    store = SqliteStore(place.memory_path)
    rows = store.read(start["callSid"])
    store.close()
    assert decode(rows[-1].entry) == Ended("hangup")
    assert page.problems == []


LATE = """
(() => {
  const late = () => new Promise((resolve) => (window.release = resolve));
  const { fetch } = window;
  window.asked = [];
  window.fetch = async (path, options) => {
    window.asked.push(JSON.parse(options.body));
    const answer = await fetch(path, options);
    if (window.refuse) return new Response("", { status: 401 });
    if (options.body.includes('"kill"')) await late();
    return answer;
  };
  const { addModule } = AudioWorklet.prototype;
  AudioWorklet.prototype.addModule = async function (path) {
    await addModule.call(this, path);
    await late();
  };
  const media = navigator.mediaDevices;
  const given = media.getUserMedia.bind(media);
  media.getUserMedia = async (wish) => {
    window.microphone = await given(wish);
    await late();
    return window.microphone;
  };
})();
"""
"""The answer to a kill, and the microphone, come when `release` is called."""


async def test_an_answer_about_a_process_that_is_shown_no_more_changes_nothing(
    place: World, chromium: Chromium
) -> None:
    page = await chromium.page(f"{place.node.http_url}/console", first=VOICE + LATE)
    killed, other = place.vm.whereis(names.METRICS), place.vm.whereis(names.DRAIN)
    assert killed is not None and other is not None
    await page.click(f"tr[data-serial='{killed.serial}'] .own-name")
    await page.click("#kill")
    await page.until("!!window.release")
    await page.click(f"tr[data-serial='{other.serial}'] .own-name")
    await page.until(shows("#process-facts", "mailbox length"))
    await page.run("window.release()")
    await page.run("new Promise((done) => setTimeout(done, 50))")
    assert await page.run("document.querySelector('#process-state').textContent") == ""
    stops = await page.run("document.querySelector('#alarms').tabIndex === 0")
    assert stops == await page.run("document.querySelector('#alarms').children.length > 0")
    await page.click("#process-actions button")
    whom = (await page.run("window.asked"))[-1]["process"]
    assert whom.startswith(repr(other)[:-1])
    await page.run("window.release = null; document.querySelector('#listen').click()")
    await page.until("!!window.release")
    await page.run("document.querySelector('#listen').click(); window.release()")
    await page.run("new Promise((done) => setTimeout(done, 50))")
    assert not await page.run("window.sent.some((message) => message.listen)")
    assert await page.run(TWO_ASKED_FOR) == ["CA2"]
    assert page.problems == []


TWO_ASKED_FOR = """
(async () => {
  const { PastCalls } = await import("/console/past.js");
  const json = { headers: { "content-type": "application/json" } };
  const calls = ["CA1", "CA2"].map((id) => ({ id, opened: 0, agent: "", outcome: "", turns: 1 }));
  const given = [];
  window.fetch = async (path, { body }) => {
    if (body.includes("CA1")) await new Promise((resolve) => setTimeout(resolve, 50));
    return new Response(JSON.stringify({ calls }), json);
  };
  const past = new PastCalls((id) => given.push(id));
  await past.load();
  for (const button of past.body.querySelectorAll("button")) button.click();
  await new Promise((resolve) => setTimeout(resolve, 100));
  return given;
})()
"""
"""Of two calls that are over, both asked for, which are shown."""


async def test_a_wrong_token_is_said_to_be_wrong_and_a_microphone_that_comes_late_is_put_out(
    place: World, chromium: Chromium
) -> None:
    first = LATE + "window.refuse = true;"
    page = await chromium.page(f"{place.node.http_url}/console/phone", first=first)
    await page.until("document.querySelector('#door').open")
    assert not await page.run("document.querySelector('#door-wrong').checkVisibility()")
    give = "document.querySelector('#token').value = 'x'"
    await page.run(give)
    await page.click("#door button")
    await page.until("document.querySelector('#door-wrong').checkVisibility()")
    await page.run("document.querySelector('#door').close()")
    assert "load the page again" in await page.run("document.querySelector('#state').textContent")
    await page.run(f"window.refuse = false; document.querySelector('#door').showModal(); {give}")
    await page.click("#door button")
    await page.click("#call")
    await page.until("!!window.release")
    await page.click("#hangup")
    await page.until(shows("#state", "the call is over"))
    await page.run("window.release()")
    await page.until("window.microphone.getTracks().every((one) => one.readyState === 'ended')")
    assert not await page.run("window.asked.some((one) => 'route' in one)")
    assert page.problems == []


def _frames(words: str) -> str:
    """The frames of a text, as JSON; each is of 20 ms."""
    audio = encode(words)
    pieces = [audio[at : at + 160].ljust(160, b"\xff") for at in range(0, len(audio), 160)]
    return json.dumps([base64.b64encode(piece).decode() for piece in pieces])
