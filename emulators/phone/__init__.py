"""A telephone on Twilio's side of the media websocket: places scripted calls and measures them.

    async with Phone(url="ws://127.0.0.1:8080/media", script="booking") as phone:
        report = await phone.run()

The same from the command line: `python -m aybiza.emulators.phone --help`.
"""

from aybiza.emulators.phone.faults import Fault
from aybiza.emulators.phone.flow import Party
from aybiza.emulators.phone.phone import Phone
from aybiza.emulators.phone.report import Progress, Report, Turn
from aybiza.emulators.phone.script import Script, ScriptError, load

__all__ = ["Fault", "Party", "Phone", "Progress", "Report", "Script", "ScriptError", "Turn", "load"]
