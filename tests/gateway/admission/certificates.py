"""Self-signed certificates, made when a test needs one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path, name: str = "tls") -> tuple[Path, Path]:
    """Certificate and key for 127.0.0.1, made by the openssl command."""
    if not shutil.which("openssl"):
        pytest.skip("the openssl command is not installed: no certificate to test with")
    made, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    key.chmod(0o600)
    return made, key
