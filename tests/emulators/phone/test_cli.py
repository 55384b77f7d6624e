"""The command line: what it prints and the exit codes it gives."""

import asyncio
import json
import ssl
import sys
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from aybiza.emulators import textaudio
from aybiza.emulators.phone.cli import EXIT_FAILED, EXIT_OK, EXIT_USAGE, main
from aybiza.emulators.phone.script import SCRIPTS
from aybiza.emulators.phone.webhook import signature
from aybiza.gateway.carriers import twilio_codec
from aybiza.gateway.carriers.codec import Start, Stop
from aybiza.gateway.carriers.twilio_codec import TwilioStream
from tests.gateway.admission.certificates import certificate

SCRIPT = """
[[steps]]
text = "Goodbye."
expect = "help"
timeout_s = 200
[[steps]]
after_ms = 100
hangup = true
"""


async def greet(socket: ServerConnection) -> None:
    stream = TwilioStream()
    while not isinstance(event := stream.receive(await socket.recv()), Stop):
        if isinstance(event, Start):
            audio = textaudio.encode("How can I help?")
            await socket.send(twilio_codec.media(event.stream_sid, audio))


async def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of the program."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aybiza.emulators.phone", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(program.communicate(), 60)
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    assert program.returncode is not None
    return program.returncode, out.decode(), err.decode()


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "bye.toml"
    path.write_text(SCRIPT)
    return str(path)


async def test_a_good_call_prints_its_course_and_exits_0(script: str) -> None:
    async with serve(greet, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"ws://127.0.0.1:{port}/media"
        code, out, err = await run("--url", url, "--script", script, "--speed", "20")
        assert (code, err) == (EXIT_OK, "")
        assert "agent   How can I help?" in out
        assert "caller  Goodbye." in out
        assert out.endswith("  ok\n")


async def test_json_is_the_whole_of_the_output_and_a_failed_call_exits_1(script: str) -> None:
    async with serve(greet, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
    arguments = ("--url", f"ws://127.0.0.1:{port}/media", "--script", script, "--json")
    code, out, err = await run(*arguments)
    report = json.loads(out)
    assert (code, err, report["ok"]) == (EXIT_FAILED, "", False)
    assert "cannot connect" in report["failure"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "one of --url and --http"),
        (["--url", "ws://a", "--speed", "0"], "not above 0"),
        (["--url", "ws://a", "--speed", "fast"], "invalid"),
        (["--url", "ws://a", "--burst", "0"], "1 or more"),
        (["--url", "ws://a", "--jitter-ms", "-1"], "negative"),
        (["--url", "ws://a", "--param", "x"], "not NAME=VALUE"),
        (["--url", "ws://a", "--mode", "video"], "invalid choice"),
        (["--url", "ws://a", "--script", "nonsense"], "no caller script named 'nonsense'"),
        (["--url", "ws://a", "--record", "/no/such/folder/x.wav"], "no such folder"),
    ],
)
def test_bad_usage_says_why_and_exits_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(arguments)
    except SystemExit as end:
        code = int(str(end.code))
    assert code == EXIT_USAGE
    assert complaint in capsys.readouterr().err


def test_help_has_an_example_and_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    assert "python -m aybiza.emulators.phone --url ws://" in capsys.readouterr().out


async def test_an_auth_token_signs_and_a_certificate_file_is_trusted(
    script: str, tmp_path: Path
) -> None:
    made, key = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)
    given: list[str | None] = []

    async def greet_signed(socket: ServerConnection) -> None:
        assert socket.request is not None
        given.append(socket.request.headers.get("X-Twilio-Signature"))
        await greet(socket)

    async with serve(greet_signed, "127.0.0.1", 0, ssl=context) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        url = f"wss://127.0.0.1:{port}/media"
        call = ("--url", url, "--script", script, "--speed", "20", "--ca", str(made))
        code, out, err = await run(*call, "--auth-token", "12345")
    assert (code, err) == (EXIT_OK, ""), out
    assert given == [signature("12345", url)]


async def test_a_certificate_file_that_cannot_be_read_is_told(script: str) -> None:
    call = ("--url", "wss://127.0.0.1:1/media", "--script", script, "--ca", "/nowhere.pem")
    code, _, err = await run(*call)
    assert code == EXIT_USAGE
    assert err == "error: --ca /nowhere.pem: No such file or directory\n"


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--fault", '{"kind": "mark_los"}', "did you mean mark_lost"),
        ("--fault", "{", "argument --fault"),
        ("--party", "+15550199=bussy", "outcome is one of completed"),
        ("--party", "+15550199", "is not NAME=VALUE"),
    ],
)
def test_faults_and_parties_that_there_cannot_be_are_refused(
    option: str, value: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--url", "ws://127.0.0.1:1/media", option, value])
    assert ended.value.code == EXIT_USAGE
    assert complaint in capsys.readouterr().err


RECORDED = """
[[steps]]
say = "goodbye.wav"
text = "Goodbye."
expect = "help"
[[steps]]
after_ms = 100
hangup = true
"""


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    path = tmp_path / "recorded.toml"
    path.write_text(RECORDED)
    wav = next((SCRIPTS.parent / "recordings").glob("bye_*.wav"))
    (tmp_path / "goodbye.wav").write_bytes(wav.read_bytes())
    return str(path)


async def test_a_script_with_recordings_is_said_in_texts_to_a_node_that_speaks_texts(
    recorded: str,
) -> None:
    async with serve(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"ws://127.0.0.1:{port}/media"
        code, out, err = await run("--url", url, "--script", recorded, "--json")
        assert code == EXIT_OK, out
        assert "How can I help?" in json.loads(out)["heard"][0]["text"]
        assert "calling again, as with --mode text" in err
        code, out, _ = await run("--url", url, "--script", recorded, "--json", "--mode", "audio")
    assert code == EXIT_FAILED
    assert "call with --mode text" in json.loads(out)["failure"]
