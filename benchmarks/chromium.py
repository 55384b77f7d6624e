"""A headless Chromium, driven over the DevTools protocol; nothing of it is left when it ends.

    async with browser(folder) as chromium:
        page = await chromium.page(url)
        await page.until("document.querySelector('h1')?.textContent === 'node'")
        assert page.problems == []

`problems` are errors of the page's scripts, of its console, and violations of its policy. `FOUND`
is the browser of this machine, None where there is none. What of it is left behind: nothing.

Errors: `PageError` for a script that fails, for what does not come in time, and for a browser that
does not start.
Source: the Chrome DevTools Protocol.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
FOUND: Final = next(filter(None, map(shutil.which, NAMES)), None)

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--remote-debugging-port=0",
)
START_SECONDS: Final = 60.0
LIMIT: Final = 60.0
POLL_SECONDS: Final = 0.02

VIRTUAL: Final = {"Tab": 9, "Escape": 27}
"""The numbers of keys that the browser itself does something at."""

STANDS: Final = """(async () => {{
  const found = {};
  if (!found?.checkVisibility() || found.disabled) return null;
  found.scrollIntoView({{ block: "center" }});
  const middle = () => {{
    const box = found.getBoundingClientRect();
    return [box.x + Math.min(box.width / 2, 60), box.y + box.height / 2];
  }};
  const [x, y] = middle();
  await new Promise((done) => setTimeout(done, 30));
  const [later, lower] = middle();
  const still = x === later && y === lower;
  return still && found.contains(document.elementFromPoint(x, y)) ? [x, y] : null;
}})()
"""
"""Where the mouse clicks on an element; null while it moves or something is before it."""


class PageError(AssertionError):
    """Something did not happen on a page that had to."""


class Page:
    """One tab. `problems`: what went wrong on it."""

    def __init__(self, chromium: Chromium, session: str, target: str) -> None:
        self._chromium = chromium
        self.target = target
        self._session = session
        self.problems: list[str] = []

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command to the tab, and its result."""
        return await self._chromium.send(method, parameters, self._session)

    async def run(self, script: str) -> Any:
        """The value of an expression on the page; a promise is awaited."""
        result = await self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        if "exceptionDetails" in result:
            raise PageError(f"{script[:200]}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def until(self, condition: str, within: float = LIMIT) -> Any:
        """Wait until an expression is true; its value."""
        until = time.monotonic() + within
        # What it looks for may not be there yet.
        tried = f"(() => {{ try {{ return {condition}; }} catch {{ return null; }} }})()"
        while True:
            value = await self.run(tried)
            if value:
                return value
            if time.monotonic() > until:
                shown = await self.run("document.body.innerText")
                raise PageError(f"{condition} did not come; {self.problems}; it shows:\n{shown}")
            await asyncio.sleep(POLL_SECONDS)

    async def click(self, selector: str) -> None:
        """Click with the mouse on what the selector finds, when it is there and stands still."""
        found = f"document.querySelector({json.dumps(selector)})"
        # What is drawn above it moves it from under the mouse.
        x, y = await self.until(STANDS.format(found))
        where = {"x": x, "y": y, "button": "left", "clickCount": 1}
        for kind in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=kind, **where)

    async def press(self, key: str) -> None:
        """Press a key."""
        told = {"key": key, "code": key, "windowsVirtualKeyCode": VIRTUAL.get(key, 0)}
        for kind in ("keyDown", "keyUp"):
            await self.send("Input.dispatchKeyEvent", type=kind, **told)

    async def accessible(self) -> list[tuple[str, str]]:
        """Role and name of all that a screen reader is told of the page, in its order."""
        nodes = (await self.send("Accessibility.getFullAXTree"))["nodes"]
        return [
            (str(node["role"]["value"]), str(node.get("name", {}).get("value", "")))
            for node in nodes
            if not node["ignored"]
        ]

    async def dress(self, width: int, height: int, theme: str) -> None:
        """Give it this size, in the light or the dark."""
        features = [
            {"name": "prefers-color-scheme", "value": theme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        await self.send("Emulation.setEmulatedMedia", features=features)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.send("Emulation.setDeviceMetricsOverride", **size)
        await self.send("Emulation.setScrollbarsHidden", hidden=True)

    async def picture(self, path: Path) -> None:
        """A picture of all of it, as PNG."""
        await self.run("scrollTo(0, 0)")
        shot = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    async def heap_mb(self) -> float:
        """What its scripts hold, when what they have let go of is gone."""
        await self.send("Performance.enable")
        await self.send("HeapProfiler.collectGarbage")
        metrics = (await self.send("Performance.getMetrics"))["metrics"]
        held = {metric["name"]: metric["value"] for metric in metrics}
        return float(held["JSHeapUsedSize"]) / 1e6

    def hear(self, method: str, told: dict[str, Any]) -> None:
        """An event of the tab."""
        match method:
            case "Runtime.exceptionThrown":
                details = told["exceptionDetails"]
                thrown = details.get("exception", {}).get("description", "")
                self.problems.append(f"{details['text']} {thrown}")
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning"):
                self.problems.append(str(told["args"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.problems.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")


class Chromium:
    """A browser; see the module."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._pages: dict[str, Page] = {}

    async def send(
        self, method: str, parameters: dict[str, Any], session: str | None = None
    ) -> dict[str, Any]:
        """One command, and its result."""
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        await self._connection.send(json.dumps(message))
        async with asyncio.timeout(LIMIT):
            result: dict[str, Any] = await waiting
        return result

    async def page(self, url: str, *, first: str = "", window: bool = False) -> Page:
        """A new tab at `url`; the script `first` runs in it before all others. `window`: it has a
        window of its own, so that others are to be seen beside it."""
        asked = {"url": "about:blank", "newWindow": window}
        target = await self.send("Target.createTarget", asked)
        options = {"targetId": target["targetId"], "flatten": True}
        session = (await self.send("Target.attachToTarget", options))["sessionId"]
        page = self._pages[session] = Page(self, session, target["targetId"])
        for domain in ("Page", "Runtime", "Log"):
            await page.send(f"{domain}.enable")
        if first:
            await page.send("Page.addScriptToEvaluateOnNewDocument", source=first)
        await page.send("Page.navigate", url=url)
        return page

    async def private_mb(self) -> float:
        """The memory that the processes of its pages have to themselves."""
        told = await self.send("SystemInfo.getProcessInfo", {})
        kinds = [one["id"] for one in told["processInfo"] if one["type"] == "renderer"]
        held = await asyncio.to_thread(lambda: [_private_mb(pid) for pid in kinds])
        return sum(held)

    async def close_pages(self) -> None:
        """Close all tabs: each holds a connection, and a browser keeps six to a server."""
        for page in self._pages.values():
            await self.send("Target.closeTarget", {"targetId": page.target})
        self._pages.clear()

    async def listen(self) -> None:
        """Take what it tells, until the connection is gone."""
        async for text in self._connection:
            told = json.loads(text)
            waiting = self._waiting.pop(told.get("id", 0), None)
            if waiting is None:
                page = self._pages.get(told.get("sessionId", ""))
                if page is not None:
                    page.hear(told["method"], told["params"])
            elif waiting.done():
                continue
            elif "error" in told:
                waiting.set_exception(PageError(str(told["error"])))
            else:
                waiting.set_result(told["result"])


@asynccontextmanager
async def browser(tmp_path: Path, *flags: str) -> AsyncIterator[Chromium]:
    """A browser with an empty profile."""
    assert FOUND is not None
    profile = tmp_path / "chromium"
    process = await asyncio.create_subprocess_exec(
        FOUND,
        *FLAGS,
        *flags,
        f"--user-data-dir={profile}",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    try:
        address = await _address(profile / "DevToolsActivePort")
        async with connect(address, max_size=None, compression=None, proxy=None) as connection:
            chromium = Chromium(connection)
            listening = asyncio.create_task(chromium.listen())
            try:
                yield chromium
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _address(file: Path) -> str:
    """Where it takes commands, which it writes down when it does."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(OSError, ValueError):
            port, path = (await asyncio.to_thread(file.read_text)).split()
            return f"ws://127.0.0.1:{port}{path}"
        await asyncio.sleep(POLL_SECONDS)
    raise PageError("Chromium did not start")


def _private_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1e3
