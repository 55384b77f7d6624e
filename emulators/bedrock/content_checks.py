"""What the service refuses about the blocks of messages and of the system prompt. Pure.

Contract: `content` and `media` are checks (see `request_body`).
Errors: none.
Source: Bedrock: Converse ContentBlock, SystemContentBlock, GuardrailConverseContentBlock; limits of
images and documents.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from aybiza.emulators.bedrock.catalogue import Model
from aybiza.emulators.bedrock.request_body import MODEL_SAID, Body, Problems
from aybiza.emulators.bedrock.tool_checks import tool_result, tool_use

IMAGES = 20
IMAGE_BYTES = 3_750_000
DOCUMENTS = 5
DOCUMENT_BYTES = 4_500_000

_BLOCKS = frozenset(
    {
        "text",
        "image",
        "document",
        "video",
        "audio",
        "toolUse",
        "toolResult",
        "guardContent",
        "cachePoint",
        "reasoningContent",
        "citationsContent",
        "searchResult",
        "toolAddition",
        "toolRemoval",
    }
)
_SYSTEM_BLOCKS = frozenset({"text", "guardContent", "cachePoint"})
_IMAGE_FORMATS = ("png", "jpeg", "gif", "webp")
_DOCUMENT_FORMATS = ("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md")
_DOCUMENT_NAME = re.compile(r"(?:[A-Za-z0-9()\[\]-]|\s(?!\s)){1,200}")
_BASE64_SHARE = 3 / 4


def content(model: Model, body: Body) -> Problems:
    """Each block is one known thing, and no text is blank."""
    for at, message in enumerate(body["messages"]):
        if not message["content"]:
            yield (
                f"The content field in the Message object at messages.{at} is empty. "
                "Add a ContentBlock object to the content field and try again."
            )
        for index, block in enumerate(message["content"]):
            where = f"messages.{at}.content.{index}"
            if len(block) != 1 or not block.keys() <= _BLOCKS:
                yield f"{where}: exactly one known content block member has to be set."
            elif "text" in block and not str(block["text"]).strip():
                yield (
                    f"The text field in the ContentBlock object at {where} is blank. "
                    "Add text to the text field, and try again."
                )
            elif "guardContent" in block:
                yield from _guarded(where, message["role"], block["guardContent"])
            elif "toolUse" in block:
                yield from tool_use(where, message["role"], block["toolUse"])
            elif "toolResult" in block:
                yield from tool_result(where, message["role"], block["toolResult"])
    for index, block in enumerate(body.get("system", [])):
        if isinstance(block, Mapping) and (len(block) != 1 or not block.keys() <= _SYSTEM_BLOCKS):
            yield f"system.{index}: exactly one known content block member has to be set."
        elif not isinstance(block, Mapping) or not str(block.get("text", "-")).strip():
            yield f"The text field in the SystemContentBlock object at system.{index} is blank."


def _guarded(where: str, role: str, guarded: object) -> Problems:
    if role != "user":
        yield f"{where}: guardContent blocks can only be in user messages."
    text = guarded.get("text") if isinstance(guarded, Mapping) else None
    if isinstance(guarded, Mapping) and set(guarded) == {"image"}:
        return
    words = text.get("text") if isinstance(text, Mapping) else None
    if not isinstance(words, str) or not words.strip():
        yield f"The text field in the GuardrailConverseContentBlock object at {where} is blank."


def media(model: Model, body: Body) -> Problems:
    """Images and documents are few, small, by the user, and of a known kind."""
    images = documents = 0
    for at, message in enumerate(body["messages"]):
        for index, block in enumerate(message["content"]):
            where = f"messages.{at}.content.{index}"
            images += "image" in block
            documents += "document" in block
            if ("image" in block or "document" in block) and message["role"] != "user":
                yield f"{where}: images and documents can only be in user messages."
            if "image" in block:
                yield from _file(where, "image", block["image"], _IMAGE_FORMATS, IMAGE_BYTES)
            if "document" in block:
                kinds = _DOCUMENT_FORMATS
                yield from _file(where, "document", block["document"], kinds, DOCUMENT_BYTES)
                yield from _document(where, message, block["document"])
    if images > IMAGES:
        yield f"{MODEL_SAID}messages: at most {IMAGES} images are allowed, found {images}."
    if documents > DOCUMENTS:
        yield f"messages: at most {DOCUMENTS} documents are allowed, found {documents}."


def _document(where: str, message: Mapping[str, Any], document: object) -> Problems:
    name = document.get("name") if isinstance(document, Mapping) else None
    if not isinstance(name, str) or not _DOCUMENT_NAME.fullmatch(name):
        yield (
            "The document file name can only contain alphanumeric characters, whitespace "
            "characters, hyphens, parentheses, and square brackets. The name can't contain more "
            "than one consecutive whitespace character."
        )
    if not any("text" in block for block in message["content"]):
        yield f"{where}: a message with a document needs a text block too."


def _file(where: str, what: str, given: object, formats: tuple[str, ...], most: int) -> Problems:
    if not isinstance(given, Mapping) or given.get("format") not in formats:
        yield f"{where}.{what}.format: has to be one of {', '.join(formats)}."
        return
    source = given.get("source")
    data = source.get("bytes") if isinstance(source, Mapping) else None
    if not isinstance(source, Mapping) or len(source) != 1:
        yield f"{where}.{what}.source: exactly one source has to be given."
    elif isinstance(data, str) and len(data) * _BASE64_SHARE > most:
        yield f"{MODEL_SAID}{where}.{what}.source: {what} exceeds {most} bytes."
