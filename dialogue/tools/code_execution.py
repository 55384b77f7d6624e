"""Code execution through AWS Lambda: the model's programs run where they can do no harm.

Contract: the function `function` is invoked with `{"code", "language"}` and answers `{"stdout",
"stderr", "exit_code"}`, or `{"result": …}`; what it is allowed to do, and for how long, is its own
configuration. Output is cut to what a model can use.
Errors: `code_failed` with the last lines of what went wrong; `Aws`'s for the model.
Source: specification 001, "Code Execution" (`execute_code`); AWS Lambda, Invoke.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aybiza.dialogue.tool_registry import Tool, ToolError
from aybiza.dialogue.toolbox import ToolRun
from aybiza.dialogue.tools.aws import Aws

_OUTPUT_CHARACTERS: Final = 4_000
_FAULT_CHARACTERS: Final = 600


def code_execution_tool(aws: Aws, function: str, languages: Sequence[str] = ("python",)) -> Tool:
    """`execute_code`, run by the Lambda function of this name or ARN."""
    if not function or not languages:
        raise ValueError("code execution needs a Lambda function and a language")

    async def run(given: dict[str, Any], use: ToolRun) -> dict[str, Any]:
        payload = {"code": given["code"], "language": given.get("language", languages[0])}
        answer = await aws.call(
            "lambda",
            "invoke",
            {"FunctionName": function, "Payload": json.dumps(payload).encode()},
            stream="Payload",
        )
        return _outcome(answer["Payload"], failed="FunctionError" in answer)

    return Tool(
        name="execute_code",
        description=(
            "Run a short program and read what it prints. For arithmetic and dates that must be"
            " exact. It has no network and keeps nothing."
        ),
        run=run,
        input_schema={
            "type": "object",
            "properties": {
                "code": {"type": "string", "minLength": 1, "maxLength": 8_000},
                "language": {"type": "string", "enum": list(languages)},
            },
            "required": ["code"],
        },
        seconds=9.0,
    )


def _outcome(payload: bytes, *, failed: bool) -> dict[str, Any]:
    answer = json.loads(payload)
    if not isinstance(answer, Mapping):
        answer = {"result": answer}
    if failed:
        raise ToolError("code_failed", _end_of(answer.get("errorMessage", "The function failed.")))
    if answer.get("exit_code", 0) != 0:
        raise ToolError("code_failed", _end_of(answer.get("stderr") or "The program failed."))
    told = {name: answer[name] for name in ("stdout", "result") if name in answer}
    if len(str(told.get("stdout", ""))) > _OUTPUT_CHARACTERS:
        told["stdout"] = str(told["stdout"])[:_OUTPUT_CHARACTERS] + " …"
    return told or {"stdout": ""}


def _end_of(text: object) -> str:
    """The end of a traceback says what was wrong."""
    return str(text).strip()[-_FAULT_CHARACTERS:]
