"""The runtime: a small BEAM on one asyncio loop. What actors need is named here."""

from aybiza.actors.runtime.clock import VirtualTimeLoop, run_virtual, virtual_time
from aybiza.actors.runtime.errors import (
    CallExit,
    ExitError,
    NameTaken,
    RemoteBusy,
    StartError,
    Stop,
    VMClosed,
)
from aybiza.actors.runtime.gen_server import (
    IGNORE,
    NO_REPLY,
    Continue,
    FunctionClause,
    GenServer,
    NoReply,
    Reply,
    Timeout,
    reply,
)
from aybiza.actors.runtime.messages import Down, Exit, From, NodeDown, NodeUp, Request, TimedOut
from aybiza.actors.runtime.observe import Observation, observe
from aybiza.actors.runtime.pid import Dest, Pid, Via
from aybiza.actors.runtime.process import Process, current_process
from aybiza.actors.runtime.reasons import (
    CALLING_SELF,
    FUNCTION_CLAUSE,
    KILL,
    KILLED,
    NOCONNECTION,
    NOPROC,
    NORMAL,
    SHUTDOWN,
    TIMEOUT,
    BadReturnValue,
    CallFailed,
    Crashed,
    Reason,
    Shutdown,
    is_orderly,
)
from aybiza.actors.runtime.registry import Registry
from aybiza.actors.runtime.task import Task
from aybiza.actors.runtime.timers import Timer
from aybiza.actors.runtime.vm import VM

__all__ = [
    "CALLING_SELF",
    "FUNCTION_CLAUSE",
    "IGNORE",
    "KILL",
    "KILLED",
    "NOCONNECTION",
    "NOPROC",
    "NORMAL",
    "NO_REPLY",
    "SHUTDOWN",
    "TIMEOUT",
    "VM",
    "BadReturnValue",
    "CallExit",
    "CallFailed",
    "Continue",
    "Crashed",
    "Dest",
    "Down",
    "Exit",
    "ExitError",
    "From",
    "FunctionClause",
    "GenServer",
    "NameTaken",
    "NoReply",
    "NodeDown",
    "NodeUp",
    "Observation",
    "Pid",
    "Process",
    "Reason",
    "Registry",
    "RemoteBusy",
    "Reply",
    "Request",
    "Shutdown",
    "StartError",
    "Stop",
    "Task",
    "TimedOut",
    "Timeout",
    "Timer",
    "VMClosed",
    "Via",
    "VirtualTimeLoop",
    "current_process",
    "is_orderly",
    "observe",
    "reply",
    "run_virtual",
    "virtual_time",
]
