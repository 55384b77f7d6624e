"""The files of the console's pages: plain modules, a style sheet and two pages, without a build.

`ASSETS` has each by the path at which it is served. They hold nothing of a node, and are read when
this module is imported. `policy_of` is the page's content security policy: nothing but our own
files, and our own doors to talk to.

Errors: `FileNotFoundError` at the import for an installation that lacks one of them.
Source: W3C, "Content Security Policy Level 3"; "Permissions Policy".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "page"
ROOT: Final = "/console"
PHONE: Final = "/console/phone"

_HTML: Final = "text/html; charset=utf-8"
_KINDS: Final = {".html": _HTML, ".js": "text/javascript; charset=utf-8"}
_KINDS[".css"] = "text/css; charset=utf-8"
_KINDS[".svg"] = "image/svg+xml"

_FILES: Final[Mapping[str, str]] = {
    ROOT: "console.html",
    PHONE: "phone.html",
    **{
        f"{ROOT}/{name}": name
        for name in (
            "actions.js",
            "calls.js",
            "capture.js",
            "console.css",
            "console.js",
            "door.js",
            "icon.svg",
            "listen.js",
            "mulaw.js",
            "parts.js",
            "past.js",
            "phone.js",
            "player.js",
            "plots.js",
            "rows.js",
            "timeline.js",
            "tree.js",
            "uplot/uPlot.esm.js",
            "uplot/uPlot.min.css",
        )
    },
}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served."""

    media_type: str
    body: bytes


ASSETS: Final[Mapping[str, Asset]] = {
    path: Asset(_KINDS[Path(name).suffix], (FOLDER / name).read_bytes())
    for path, name in _FILES.items()
}
"""The files by their paths."""


def policy_of(media_origin: str) -> dict[str, str]:
    """The headers of the pages; `media_origin`: where the softphone's websocket goes."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        f" connect-src 'self' {media_origin}; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return {
        "content-security-policy": policy,
        "permissions-policy": "microphone=(self), camera=(), geolocation=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-cache",
    }
