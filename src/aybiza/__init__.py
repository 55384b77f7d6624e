"""aybiza: an OTP-grade actor runtime for asyncio, and the phone agents that it carries.

    from aybiza.actors.runtime import VM, GenServer
    from aybiza.supervisors import Supervisor, child

Each package below this one is a folder at the top of the repository, to which `src/aybiza` holds
a link, so that type checkers, editable installs and wheels see the same names.
"""

from aybiza.config.extras import tell_of_missing

tell_of_missing()
