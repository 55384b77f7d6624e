"""A loopback Bedrock runtime: the wire of Converse and ConverseStream, and a stand-in model."""

from aybiza.emulators.bedrock.faults import Fault, Pace
from aybiza.emulators.bedrock.guardrails import Guardrail
from aybiza.emulators.bedrock.limits import Limits
from aybiza.emulators.bedrock.reply import Reasoning, Reply, Text, ToolUse, say, use
from aybiza.emulators.bedrock.scripted import Scripted, echo, long
from aybiza.emulators.bedrock.server import BedrockEmulator
from aybiza.emulators.bedrock.service import Bedrock

__all__ = [
    "Bedrock",
    "BedrockEmulator",
    "Fault",
    "Guardrail",
    "Limits",
    "Pace",
    "Reasoning",
    "Reply",
    "Scripted",
    "Text",
    "ToolUse",
    "echo",
    "long",
    "say",
    "use",
]
