"""The image and its composition: what is built in, who runs it, and that calls get their time."""

import os
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.utils import canonicalize_name

from aybiza.actors.node.messages import Limits
from tests.deploy.kit import DEPLOY, ROOT, run, seconds, settings, text_of

DOCKERFILE = text_of("docker/Dockerfile")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\]+)", re.M)
COMPOSE = yaml.safe_load(text_of("docker/compose.yaml"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = {path.parent.name for path in ROOT.glob("*/__init__.py")}


def pinned(text: str) -> dict[str, str]:
    """The versions of a file, by the packages' names."""
    return {canonicalize_name(name): version for name, version in PIN.findall(text)}


def test_every_package_is_built_in() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.M))
    assert copied == {*PACKAGES, "src"}


def test_what_is_copied_exists_and_is_sent_to_the_build() -> None:
    sources = " ".join(re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.M)).split()
    let_through = {
        line[1:]
        for line in text_of("docker/Dockerfile.dockerignore").splitlines()
        if line[:1] == "!"
    }
    assert all((ROOT / source).exists() for source in sources)
    assert let_through == set(sources)


def test_the_versions_are_the_tested_ones() -> None:
    pins = pinned((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    extras = PROJECT["project"]["optional-dependencies"]
    hashed = pinned(text_of("docker/requirements.txt"))
    named = [*PROJECT["project"]["dependencies"]]
    named += [each for name in ("cluster", "voice", "fast") for each in extras[name]]
    for requirement in named:
        name = re.split(r"[\[>=; ]", requirement)[0]
        assert name == "aybiza" or hashed[name] == pins[name], name
    assert {
        name: hashed[name] for name in hashed if name in pins and hashed[name] != pins[name]
    } == {}
    pythons = set(re.findall(r"^FROM python:(\d\.\d+)-slim", DOCKERFILE, re.M))
    classifiers = PROJECT["project"]["classifiers"]
    assert len(pythons) == 1
    assert f"Programming Language :: Python :: {pythons.pop()}" in classifiers


@pytest.mark.parametrize("name", ["requirements", "build"])
def test_every_package_of_the_image_is_known_by_its_hash(name: str) -> None:
    blocks = re.split(r"\n(?=\S)", text_of(f"docker/{name}.txt").strip())
    assert blocks and all(PIN.match(block) for block in blocks)
    assert [block for block in blocks if "--hash=sha256:" not in block] == []
    assert f"--require-hashes -r deploy/docker/{name}.txt" in " ".join(
        DOCKERFILE.replace("\\\n", " ").replace("--no-build-isolation", "").split()
    )
    assert "pip install" in DOCKERFILE
    for command in re.findall(r"pip install (.*?)(?:&&|\n(?! ))", DOCKERFILE, re.S):
        assert "--require-hashes" in command or "--no-deps" in command


def test_nobody_is_root() -> None:
    last_stage = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    uid, gid = re.findall(r"^USER (\d+):(\d+)$", last_stage, re.M)[0]
    assert int(uid) > 0 and int(gid) > 0
    assert last_stage.index("\nUSER ") < last_stage.index("\nENTRYPOINT ")


def test_the_image_is_healthy_when_its_loop_runs() -> None:
    assert re.search(r"HEALTHCHECK .*\\\n.*127\.0\.0\.1:3000/healthz", DOCKERFILE)


def test_the_images_environment_is_a_nodes() -> None:
    block = DOCKERFILE[DOCKERFILE.index("ENV PATH") :].split("USER")[0]
    variables = dict(re.findall(r"((?:AYBIZA|XDG)_\w+)=(\S+)", block))
    assert str(settings(variables).memory_path).startswith("/var/lib/aybiza/")
    assert re.search(r"^VOLUME /var/lib/aybiza$", DOCKERFILE, re.M)


def environment() -> dict[str, str]:
    """The node's environment with what the operator gives filled in."""
    given = COMPOSE["services"]["node"]["environment"]
    filled = {
        name: re.sub(
            r"\$\{\w+:\?[^}]*\}", "given.example.org", re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", v)
        )
        for name, v in given.items()
    }
    return filled


def test_the_compositions_environment_is_taken_by_a_node() -> None:
    made = settings({**environment(), "AYBIZA_BIND": "0.0.0.0"})
    assert made.redis_url and made.is_guarded
    assert made.public_http_url == "https://given.example.org"


def test_the_proxy_that_is_trusted_is_the_one_there_is() -> None:
    address = COMPOSE["services"]["caddy"]["networks"]["inside"]["ipv4_address"]
    assert environment()["AYBIZA_TRUSTED_PROXIES"] == f"{address}/32"


def test_services_wait_for_one_another_and_calls_for_their_end() -> None:
    services = COMPOSE["services"]
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)
    drain = settings(environment()).drain_seconds
    assert seconds(services["node"]["stop_grace_period"]) >= drain + Limits().stop + 10


def test_the_files_that_are_mounted_exist() -> None:
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / "docker" / source).is_file()
            else:
                assert source in COMPOSE["volumes"]


def test_the_build_begins_where_the_sources_are() -> None:
    build = COMPOSE["services"]["node"]["build"]
    context = (DEPLOY / "docker" / build["context"]).resolve()
    assert context == ROOT
    assert (context / build["dockerfile"]).is_file()


def test_redis_asks_for_a_password_and_images_have_whole_versions() -> None:
    redis = COMPOSE["services"]["redis"]
    assert "--requirepass" in " ".join(redis["command"])
    assert environment()["REDIS_URL"].startswith("rediss://:given.example.org@")
    for service in ("redis", "caddy"):
        assert re.search(r":\d+\.\d+\.\d+", COMPOSE["services"][service]["image"])


def test_each_image_can_be_asked_for_by_its_digest(tmp_path: Path) -> None:
    digest = f"sha256:{'0' * 64}"
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\n[ "$1 $2 $3" = "buildx imagetools inspect" ] && echo {digest}\n')
    docker.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    script = str(DEPLOY / "docker" / "image-digests.sh")
    made = run("sh", script, env={**os.environ, "PATH": path})
    images = {service["image"] for service in COMPOSE["services"].values() if "image" in service}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.M))
    assert made.stdout.split() == [f"{image}@{digest}" for image in sorted(images)]
    docker.write_text("#!/bin/sh\necho nobody answers >&2; exit 1\n")
    failed = run("sh", script, env={**os.environ, "PATH": path})
    assert failed.returncode and "nobody answers" in failed.stderr
