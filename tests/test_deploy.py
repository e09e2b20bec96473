"""The files for those who run it elsewhere: they parse, and name what there is. None is started here."""

import json
import re
from pathlib import Path

import pytest
import yaml

pytest.importorskip("prometheus_client", reason="the dashboard shows figures of the extra `serve`")

from agent.settings import Settings
from ui.serve.metrics import Metrics

ROOT = Path(__file__).parent.parent
KUBERNETES = ROOT / "deploy" / "kubernetes" / "hearken.yaml"
FILES = [ROOT / "compose.yaml", KUBERNETES, ROOT / "deploy" / "Dockerfile"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_variable_is_a_setting(file: Path) -> None:
    named = set(re.findall(r"HEARKEN_([A-Z_]+)", file.read_text("utf-8")))
    assert named
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_compose_and_kubernetes_parse_and_every_image_part_exists() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    for service in compose["services"].values():
        assert set(service.get("depends_on", {})) <= set(compose["services"])
        if "build" in service:
            assert (ROOT / service["build"]["dockerfile"]).exists()
    kinds = [part["kind"] for part in yaml.safe_load_all(KUBERNETES.read_text("utf-8"))]
    assert kinds == ["Deployment", "Service", "CronJob"]
    for line in (ROOT / "deploy" / "Dockerfile").read_text("utf-8").splitlines():
        if line.startswith("COPY"):
            assert all((ROOT / name).exists() for name in line.split()[1:-1])


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
