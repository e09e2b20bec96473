"""The files for those who run it elsewhere: their structure, and that they name what there is."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

pytest.importorskip("prometheus_client", reason="the dashboard shows figures of the extra `serve`")

from agent.settings import Settings
from graph.shared import open_shared
from ui.cli import app as cli
from ui.serve.metrics import Metrics

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "kubernetes" / "hearken.yaml"
DOCKERFILES = [DEPLOY / "Dockerfile", DEPLOY / "spaces" / "Dockerfile"]
FILES = [ROOT / "compose.yaml", KUBERNETES, DEPLOY / "ray_serve.py", DEPLOY / "spaces" / "README.md"]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
# What Compose's own schema lets a service have, of what is used here.
KEYS = {
    "build", "command", "depends_on", "deploy", "environment", "healthcheck", "image", "ports", "profiles",
    "restart", "secrets", "stop_grace_period", "volumes",
}  # fmt: skip
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def _objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(KUBERNETES.read_text("utf-8")))


def _of(kind: str, name: str = "hearken") -> dict[str, Any]:
    return next(one for one in _objects() if (one["kind"], one["metadata"]["name"]) == (kind, name))


def _pods() -> list[dict[str, Any]]:
    found = []
    for one in _objects():
        spec = one["spec"].get("jobTemplate", one).get("spec")
        if "template" in spec:
            found.append(spec["template"]["spec"])
    return found


def _paths() -> set[str]:
    """The addresses that the API answers without a key."""
    from ui.serve.app import create_app

    return {str(getattr(route, "path", "")) for route in create_app(Settings()).routes}


@pytest.mark.parametrize("file", [*FILES, *DOCKERFILES], ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_variable_is_a_setting(file: Path) -> None:
    named = set(re.findall(r"HEARKEN_([A-Z_]+)", file.read_text("utf-8")))
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def _commands() -> list[list[str]]:
    commands = [service["command"] for service in SERVICES.values() if "command" in service]
    commands += [c["command"] for pod in _pods() for c in pod["containers"] + pod.get("initContainers", [])
                 if "command" in c]  # fmt: skip
    for file in DOCKERFILES:
        commands += [json.loads(line) for line in re.findall(r"^CMD (.*)$", file.read_text("utf-8"), re.M)]
    inside = [re.findall(r"hearken [^;|&]+", " ".join(one)) for one in commands if one[0] == "sh"]
    return [one for one in commands if one[0] == "hearken"] + [
        shlex.split(c) for found in inside for c in found
    ]


def test_every_command_is_one_of_ours_with_its_own_options() -> None:
    commands = _commands()
    assert len(commands) >= 6
    for _, *words in commands:
        found: Any = get_command(cli)
        while words and hasattr(found, "commands"):
            found = found.commands[words.pop(0)]
        known = {option for one in found.params for option in (*one.opts, *one.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known


def test_compose_has_the_services_and_each_is_whole() -> None:
    assert set(SERVICES) == {"api", "app", "postgres", "chroma", "vllm", "purge"}
    assert set(COMPOSE) - {"name", "services", "volumes", "secrets"} == {"x-hearken", "x-environment"}
    for name, service in SERVICES.items():
        assert set(service) <= KEYS, name
        assert ("build" in service) != ("image" in service), name
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).exists()
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] in {"service_started", "service_healthy"}
            assert how["condition"] == "service_started" or "healthcheck" in SERVICES[needed]
            assert "profiles" not in SERVICES[needed], "it would never start without the profile"
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= set(COMPOSE["volumes"])
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), "nothing is reached from outside before TLS is put in front"
    assert [name for name, service in SERVICES.items() if "profiles" in service] == ["vllm"]


def test_compose_names_its_own_services_and_settings_that_hold() -> None:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    hosts = set(re.findall(r"https?://([a-z]+):\d+", text)) | set(re.findall(r"@([a-z]+)/", text))
    assert hosts == {"chroma", "vllm", "postgres"}
    for name in ("api", "app"):
        given = {key: re.sub(r"\$\{\w+(:[-?](.*?))?\}", r"\2", str(value))
                 for key, value in SERVICES[name]["environment"].items()}  # fmt: skip
        fields = {key.removeprefix("HEARKEN_").lower(): value for key, value in given.items()}
        settings = Settings(**{key: value or None for key, value in fields.items()})  # type: ignore[arg-type]
        assert settings.backend.kind == "guided"
        assert settings.library_place == "http://chroma:8000"
        assert settings.shared is (name == "app")
    pytest.importorskip("psycopg", reason="PostgreSQL needs the extra `postgres`")
    assert open_shared(SERVICES["api"]["environment"]["HEARKEN_STORE_URL"]).kind == "postgresql"


def test_health_checks_ask_what_is_there() -> None:
    paths = _paths()
    asked = re.findall(r"127\.0\.0\.1:8600([\w/]+)", str(SERVICES["api"]["healthcheck"]))
    pod = _of("Deployment")["spec"]["template"]["spec"]
    asked += [pod["containers"][0][probe]["httpGet"]["path"] for probe in PROBES]
    assert asked
    assert set(asked) <= paths


def test_kubernetes_objects_fit_together() -> None:
    kinds = [(one["kind"], one["metadata"]["name"]) for one in _objects()]
    assert kinds == [
        ("Deployment", "hearken"),
        ("Service", "hearken"),
        ("StatefulSet", "hearken-library"),
        ("Service", "hearken-library"),
        ("NetworkPolicy", "hearken-library"),
        ("PodDisruptionBudget", "hearken"),
        ("CronJob", "hearken-purge"),
    ]
    labels = {
        name: _of(kind, name)["spec"]["template"]["metadata"]["labels"]
        for kind, name in (("Deployment", "hearken"), ("StatefulSet", "hearken-library"))
    }
    for kind, name in (("Deployment", "hearken"), ("StatefulSet", "hearken-library")):
        assert _of(kind, name)["spec"]["selector"]["matchLabels"] == labels[name]
        assert _of("Service", name)["spec"]["selector"] == labels[name]
    assert _of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels["hearken"]
    policy = _of("NetworkPolicy", "hearken-library")["spec"]
    assert policy["podSelector"]["matchLabels"] == labels["hearken-library"]
    assert policy["ingress"][0]["from"][0]["podSelector"]["matchLabels"] == labels["hearken"]
    for pod in _pods():
        ready = {volume["name"] for volume in pod.get("volumes", [])} | {"data"}
        for container in pod["containers"]:
            ports = {port["name"] for port in container.get("ports", [])}
            assert {container[p]["httpGet"]["port"] for p in PROBES if p in container} <= ports
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= ready
    assert "http://hearken-library:8000" in KUBERNETES.read_text("utf-8")


def test_the_image_brings_the_extras_that_its_settings_need() -> None:
    [extras] = re.findall(r'"\.\[([\w,]+)\]"', (DEPLOY / "Dockerfile").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
    text = (ROOT / "compose.yaml").read_text("utf-8") + KUBERNETES.read_text("utf-8")
    needed = {"serve": "hearken:latest", "postgres": "postgresql://", "endpoint": "HEARKEN_ENDPOINT_URL"}
    assert all(found in text for found in needed.values())
    assert set(needed) <= set(extras.split(","))


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.parent.name)
def test_every_part_of_an_image_exists(file: Path) -> None:
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("COPY"):
            names = [word for word in line.split()[1:-1] if not word.startswith("--")]
            assert all((ROOT / name).exists() for name in names)
    assert "\nUSER hearken\n" in file.read_text("utf-8"), "nothing runs as root"


def test_the_space_is_one_that_keeps_nothing() -> None:
    _, header, text = (DEPLOY / "spaces" / "README.md").read_text("utf-8").split("---\n", 2)
    space = yaml.safe_load(header)
    dockerfile = (DEPLOY / "spaces" / "Dockerfile").read_text("utf-8")
    assert space["sdk"] == "docker"
    assert f"EXPOSE {space['app_port']}" in dockerfile
    assert len(space["short_description"]) <= 60
    assert {space["colorFrom"], space["colorTo"]} <= {
        "red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray",
    }  # fmt: skip
    assert "HEARKEN_SHARED=true" in dockerfile
    assert "emergency" in text


def test_ray_serves_the_api(tmp_path: Path) -> None:
    """A real Ray of one replica on loopback: a turn, and one in danger as a stream, through it."""
    if not all(map(find_spec, ("ray", "grpc_reflection"))):
        pytest.skip("the Ray deployment needs the extra `ray`, which `make test` does not install")
    own = {"HEARKEN_DATA_DIR": str(tmp_path), "HEARKEN_COUNTRY": "GB", "PYTHONPATH": str(ROOT)}
    own |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "disabled",
        "RAY_raylet_start_wait_time_s": "300",
        "RAY_gcs_server_request_timeout_seconds": "300",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "tests.ray_served"],
        cwd=DEPLOY,
        env={**os.environ, **own},
        capture_output=True,
        check=False,
        text=True,
        timeout=600,
    )
    shutil.rmtree("/tmp/ray-hearken", ignore_errors=True)  # noqa: S108 - a socket's path may not be long
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = json.loads(ran.stdout.strip().splitlines()[-1])
    assert said["replicas"] == 1
    assert said["calm"] == ["none", True]
    assert (said["risk"], said["escalated"]) == ("imminent", True)
    assert said["events"][-1] == "done"
    assert said["events"].index("card") < said["events"].index("said")
    assert "Samaritans" in said["card"]
    assert (said["history"], said["gone"]) == (4, 404)


def test_the_dashboard_shows_figures_that_are_kept() -> None:
    board = json.loads((ROOT / "deploy" / "grafana" / "hearken.json").read_text("utf-8"))
    asked = {
        name
        for panel in board["panels"]
        for t in panel["targets"]
        for name in re.findall(r"hearken_\w+", t["expr"])
    }
    kept = set(re.findall(r"# TYPE (hearken_\w+)", Metrics().text().decode()))
    assert {re.sub(r"_bucket$", "", name) for name in asked} <= kept
