"""The manifests: they belong together, take a node's settings, and give its calls their time."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from aybiza.actors.measures.metrics_actor import METRICS
from aybiza.actors.node.messages import Limits
from aybiza.config.agents import load_agent
from aybiza.config.quotas import load_quotas
from aybiza.config.settings import FIELDS, SettingsError
from aybiza.dialogue.tools.catalogue import load_tools
from tests.deploy.kit import DEPLOY, documents, run, settings, tool, values_of

KUSTOMIZATION = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
OBJECTS: dict[tuple[str, str], dict[str, Any]] = {
    (document["kind"], document["metadata"]["name"]): document
    for name in KUSTOMIZATION["resources"]
    for document in documents(f"kubernetes/{name}")
}
NODES = OBJECTS["StatefulSet", "aybiza"]["spec"]
POD = NODES["template"]["spec"]
LABELS = NODES["template"]["metadata"]["labels"]
(NODE,) = POD["containers"]
PORTS = {port["name"]: port["containerPort"] for port in NODE["ports"]}


def test_every_manifest_is_applied() -> None:
    there = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert there - {"kustomization.yaml"} == set(KUSTOMIZATION["resources"])


def test_kustomize_builds_them() -> None:
    built = run(tool("kubectl"), "kustomize", str(DEPLOY / "kubernetes"))
    assert built.returncode == 0, built.stderr
    kinds = {document["kind"] for document in yaml.safe_load_all(built.stdout)}
    assert kinds == {kind for kind, _ in OBJECTS}


def _without_egress(document: dict[str, Any]) -> dict[str, Any]:
    """What is reached from a node is not only nodes."""
    spec = document.get("spec", {})
    return {**document, "spec": {name: part for name, part in spec.items() if name != "egress"}}


def test_everything_that_selects_selects_the_nodes() -> None:
    selectors = [
        selector.get("matchLabels", selector) if isinstance(selector, dict) else selector
        for key in ("selector", "podSelector", "labelSelector")
        for document in OBJECTS.values()
        for selector in values_of(_without_egress(document), key)
    ]
    assert len(selectors) >= 6
    assert all(selector.items() <= LABELS.items() for selector in selectors)


def test_ports_are_those_of_the_settings() -> None:
    settings_of = {
        "http": "AYBIZA_HTTP_PORT",
        "media": "AYBIZA_MEDIA_PORT",
        "cluster": "AYBIZA_CLUSTER_PORT",
    }
    assert {name: FIELDS[variable].default for name, variable in settings_of.items()} == PORTS
    for name in ("nodes", "doors"):
        for port in OBJECTS["Service", name]["spec"]["ports"]:
            assert port["port"] == PORTS[port["targetPort"]]
    named = [
        port["port"]
        for port in values_of(_without_egress(OBJECTS["NetworkPolicy", "aybiza"]), "ports")
        for port in port
    ]
    assert set(named) <= set(PORTS)


def test_the_ingress_leads_to_ports_that_there_are() -> None:
    for service in values_of(OBJECTS["Ingress", "aybiza"], "service"):
        ports = OBJECTS["Service", service["name"]]["spec"]["ports"]
        assert service["port"]["name"] in {port["name"] for port in ports}
    public = {
        path["path"] for paths in values_of(OBJECTS["Ingress", "aybiza"], "paths") for path in paths
    }
    assert public == {"/media", "/incoming", "/status"}


def environment() -> dict[str, str]:
    """A pod's environment."""
    config = dict(OBJECTS["ConfigMap", "aybiza"]["data"])
    # A node refuses the placeholders that are shipped.
    secrets = OBJECTS["Secret", "aybiza"]["stringData"]
    config |= {name: value.replace("set-me", "7d1c9f") for name, value in secrets.items()}
    fields = {"metadata.name": "aybiza-0", "status.podIP": "10.1.2.3"}
    for variable in NODE["env"]:
        given = variable.get("value") or fields[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        config[variable["name"]] = given
    return config


def test_the_placeholders_are_taken_by_no_node() -> None:
    with pytest.raises(SettingsError) as refused:
        settings(environment() | OBJECTS["Secret", "aybiza"]["stringData"])
    refusals = [problem for problem in refused.value.problems if "placeholder" in problem]
    assert len(refusals) == len(OBJECTS["Secret", "aybiza"]["stringData"])


def test_a_node_reaches_nothing_but_what_is_named() -> None:
    policy = OBJECTS["NetworkPolicy", "aybiza"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    for rule in policy["egress"]:
        inside = [to for to in rule["to"] if "podSelector" in to or "namespaceSelector" in to]
        blocks = [to["ipBlock"] for to in rule["to"] if "ipBlock" in to]
        assert inside or blocks
        assert all("10.0.0.0/8" in block["except"] for block in blocks)
        assert all("169.254.0.0/16" in block["except"] for block in blocks)
        assert not blocks or rule["ports"] == [{"protocol": "TCP", "port": 443}]


def test_few_are_believed_and_redis_asks_for_a_password() -> None:
    made = settings(environment())
    assert all(ip_network(proxy).num_addresses <= 256 for proxy in made.trusted_proxies)
    redis = urlsplit(made.redis_url or "")
    assert redis.scheme == "rediss" and redis.password
    (authority,) = parse_qs(redis.query)["ssl_ca_certs"]
    folder, _, name = authority.rpartition("/")
    (mount,) = [mount for mount in NODE["volumeMounts"] if mount["mountPath"] == folder]
    (volume,) = [volume for volume in POD["volumes"] if volume["name"] == mount["name"]]
    assert name in OBJECTS["ConfigMap", volume["configMap"]["name"]]["data"]


def test_the_environment_is_taken_by_a_node() -> None:
    made = settings(environment())
    assert made.node_name == "aybiza-0" and made.cluster_bind == "10.1.2.3"
    assert made.is_guarded and made.console_token and made.redis_url


def test_the_machines_to_join_are_pods_of_the_service() -> None:
    assert NODES["serviceName"] == "nodes" and ("Service", "nodes") in OBJECTS
    hosts = [machine.partition(":")[0] for machine in settings(environment()).join]
    assert hosts == [f"aybiza-{index}.nodes" for index in range(NODES["replicas"])]
    assert OBJECTS["Service", "nodes"]["spec"]["publishNotReadyAddresses"] is True


def test_a_pod_that_goes_has_time_for_its_calls() -> None:
    drain = NODE["lifecycle"]["preStop"]["exec"]["command"][-1]
    timeout = int(re.findall(r"--timeout (\d+)", drain)[0])
    rest = settings(environment()).drain_seconds + Limits().stop
    assert POD["terminationGracePeriodSeconds"] >= timeout + rest + 30


def test_a_node_is_alive_while_its_loop_runs_and_ready_while_it_takes_calls() -> None:
    assert NODE["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert NODE["startupProbe"]["httpGet"]["path"] == "/healthz"
    assert NODE["readinessProbe"]["httpGet"]["path"] == "/readyz"
    for probe in ("livenessProbe", "startupProbe", "readinessProbe"):
        assert NODE[probe]["httpGet"]["port"] == "http"


@pytest.mark.parametrize("container", [NODE, *POD["initContainers"]], ids=lambda c: c["name"])
def test_nobody_is_root_and_nothing_can_be_gained(container: dict[str, Any]) -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    context = container["securityContext"]
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"] is True


def test_what_is_mounted_exists() -> None:
    volumes = {volume["name"] for volume in POD["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in NODES["volumeClaimTemplates"]}
    for container in (NODE, *POD["initContainers"]):
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
    for name in values_of(POD["volumes"], "secretName"):
        assert ("Secret", name) in OBJECTS
    for volume in values_of(POD["volumes"], "configMap"):
        assert ("ConfigMap", volume["name"]) in OBJECTS


def test_the_cookie_is_the_nodes_own_when_it_reads_it() -> None:
    (cookie,) = POD["initContainers"]
    assert cookie["command"][:3] == ["install", "-m", "0600"]
    assert cookie["command"][-1] == environment()["AYBIZA_COOKIE_FILE"]
    assert "cookie" in OBJECTS["Secret", "aybiza-cookie"]["stringData"]


def test_state_is_kept_where_the_image_keeps_it() -> None:
    mounts = {mount["name"]: mount["mountPath"] for mount in NODE["volumeMounts"]}
    assert mounts["state"] == "/var/lib/aybiza"


def test_nodes_are_added_by_a_metric_that_there_is() -> None:
    scaler = OBJECTS["HorizontalPodAutoscaler", "aybiza"]["spec"]
    target = scaler["scaleTargetRef"]
    assert (target["kind"], target["name"]) in OBJECTS
    (metric,) = scaler["metrics"]
    assert metric["pods"]["metric"]["name"] in METRICS
    assert scaler["minReplicas"] >= NODES["replicas"] >= 2


def test_a_pod_takes_what_its_core_carries() -> None:
    scale = (DEPLOY.parent / "docs" / "scale.md").read_text(encoding="utf-8")
    (measured,) = re.findall(
        r"a core is full with \d+ calls, and carries (\d+) at two\s+thirds", scale
    )
    cores = float(NODE["resources"]["requests"]["cpu"])
    assert settings(environment()).max_calls <= cores * int(measured)


def test_the_calls_of_a_lost_pod_have_room_in_the_others() -> None:
    scaler = OBJECTS["HorizontalPodAutoscaler", "aybiza"]["spec"]
    (metric,) = scaler["metrics"]
    target = int(metric["pods"]["target"]["averageValue"])
    pods = scaler["minReplicas"]
    assert target * pods <= settings(environment()).max_calls * (pods - 1)


def test_a_node_stops_taking_calls_before_its_memory_runs_out() -> None:
    limit, request = (
        megabytes(NODE["resources"][kind]["memory"]) for kind in ("limits", "requests")
    )
    own = settings(environment()).max_memory_mb
    assert own + OTHER_PROCESSES_MB + HEADROOM_MB <= limit
    assert request <= limit


OTHER_PROCESSES_MB = 100
"""Keeper, admin, logger and command (docs/scale.md)."""
HEADROOM_MB = 256
"""What the calls that run take when no further ones are let in."""


def megabytes(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"Mi": 1, "Gi": 1024}[unit]


def test_agent_tools_and_quotas_are_files_that_a_node_can_read(tmp_path: Path) -> None:
    (folder,) = [mount for mount in NODE["volumeMounts"] if mount["name"] == "files"]
    files = OBJECTS["ConfigMap", "aybiza-files"]["data"]
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    taken = settings(environment())
    for path in (taken.tools_file, taken.quotas_file):
        assert path is not None and str(path.parent) == folder["mountPath"]
        assert path.name in files
    assert load_agent(str(tmp_path / "agent.toml")).tools == ("end_call",)
    assert load_quotas(tmp_path / "quotas.toml").default.call_usd
    tools = load_tools(tmp_path / "tools.toml", region="eu-central-1", environment={})
    assert tools.registry.specs() == []


def test_the_scraper_shows_the_token_and_finds_the_nodes() -> None:
    (document,) = documents("prometheus/scrape.yaml")
    (job,) = document["scrape_configs"]
    authorization = job["authorization"]
    assert authorization["type"] == "Bearer"
    assert authorization["credentials_file"].endswith("/token")
    assert job["metrics_path"] == "/metrics"
    kept = {
        rule["source_labels"][0].removeprefix("__meta_kubernetes_pod_"): rule["regex"]
        for rule in job["relabel_configs"]
        if rule.get("action") == "keep"
    }
    assert kept["label_app_kubernetes_io_name"] == LABELS["app.kubernetes.io/name"]
    assert kept["container_port_name"] in PORTS
    (discovered,) = job["kubernetes_sd_configs"]
    assert discovered["namespaces"]["names"] == [KUSTOMIZATION["namespace"]]
    assert not any(
        "prometheus.io" in key for key in NODES["template"]["metadata"].get("annotations", {})
    )


def test_one_node_goes_at_a_time() -> None:
    assert OBJECTS["PodDisruptionBudget", "aybiza"]["spec"]["maxUnavailable"] == 1


def test_secrets_hold_no_secret() -> None:
    for (kind, _), document in OBJECTS.items():
        if kind == "Secret":
            assert all("set-me" in value for value in document["stringData"].values())
