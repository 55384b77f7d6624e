"""`CertificateKeeper`: takes up a renewed certificate of the doors, and tells of one that ends.

    child(CertificateKeeper, DoorCertificate.of(settings), name=NAME)

At the start and every `LOOK_SECONDS` a thread looks at the files. Where they have changed and can
be used, connections from then on meet the new certificate, and those under way go on; files that
cannot be used leave what was shown, with one line in the log (`tls_certificate_refused`) until they
change again. `events.CERTIFICATE` tells when the one that is shown ends.
What carriers refuse, or will within two weeks, is logged once a day (`tls_certificate_unfit`).

Errors: none reach a connection.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import structlog

from aybiza.actors.measures import events
from aybiza.actors.measures.events import emit
from aybiza.actors.runtime import NORMAL, Exit, GenServer, Pid, Task
from aybiza.config.routes import Stamp, stamps
from aybiza.config.settings import Settings
from aybiza.gateway.admission.tls import (
    TlsError,
    called,
    last_second,
    server_context,
    take_anew,
    unfit,
)

NAME: Final = "certificate_keeper"
LOOK_SECONDS: Final = 60.0
SAID_EVERY_SECONDS: Final = 86_400.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DoorCertificate:
    """What the doors show: the context that they were given, and the files it was made of.

    `host`: the name that carriers call; `None` where that is not known. `stamps`: the times and
    sizes of the files before the context was made.
    """

    context: ssl.SSLContext
    certificate: Path
    key: Path
    host: str | None
    stamps: Mapping[Path, Stamp]

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """That of the settings, if they have one; reads files. Raises `TlsError`."""
        certificate, key = settings.tls_certificate, settings.tls_key
        if certificate is None or key is None:
            return None
        before = stamps((certificate, key))
        return cls(server_context(certificate, key), certificate, key, called(settings), before)


class CertificateKeeper(GenServer):
    """See the module."""

    traps_exits = True

    async def init(self, shown: DoorCertificate) -> None:
        self._shown = shown
        self._stamps = dict(shown.stamps)
        self._next_word = 0.0
        self._looking: Pid | None = None
        self._look()

    async def handle_info(self, message: Any) -> None:
        match message:
            case "look":
                self._look()
            case Exit(pid, reason) if pid == self._looking:
                self._looking = None
                if reason != NORMAL:
                    log.error("tls_certificate_not_looked_at", reason=str(reason))
                self.send_after("look", LOOK_SECONDS)

    def _look(self) -> None:
        self._looking = Task.start(self.vm, self._look_at_files).pid

    async def _look_at_files(self) -> None:
        shown = self._shown
        found = await self.vm.run_blocking(stamps, (shown.certificate, shown.key))
        if found != self._stamps:
            self._stamps = found
            try:
                await self.vm.run_blocking(take_anew, shown.context, shown.certificate, shown.key)
            except TlsError as error:
                log.error("tls_certificate_refused", why=str(error), do="the one before is shown")
                return
            log.info("tls_certificate_taken", certificate=str(shown.certificate))
            self._next_word = 0.0
        try:
            ends = await self.vm.run_blocking(last_second, shown.certificate)
            wrong = await self.vm.run_blocking(unfit, shown.certificate, time.time(), shown.host)
        except TlsError:
            return  # gone since it was taken: the next look finds that it has changed
        emit(self.vm, events.CERTIFICATE, ends=ends)
        if wrong and self.vm.now() >= self._next_word:
            self._next_word = self.vm.now() + SAID_EVERY_SECONDS
            log.warning("tls_certificate_unfit", why=wrong)
