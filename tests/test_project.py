"""Facts about the project as a whole that would otherwise rot unseen."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import nas

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("search_spaces", "nas", "compress", "reports")
HEAVY = ("torch", "optuna", "pandas", "matplotlib", "scipy", "skimage")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
SOURCES = sorted(
    path for folder in (*PACKAGES, "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
)
TEXTS = sorted(
    {
        *SOURCES,
        *(
            p
            for name in PACKAGES
            for p in (ROOT / name).rglob("*")
            if p.suffix in (".yaml", ".csv", ".html", ".css", ".js")
        ),
        *(ROOT / "benchmarks").rglob("*.json"),
        *(ROOT / "benchmarks").rglob("*.md"),
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("*.toml"),
        *ROOT.glob("constraints*.txt"),
        ROOT / "Makefile",
        ROOT / ".ci" / "run",
        ROOT / ".pre-commit-config.yaml",
    }
)


def relative(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def lines_of(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def heavy_after(code: str) -> list[str]:
    """The heavy libraries that a fresh interpreter has loaded after running ``code``."""
    ending = f"import json, sys; print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{ending}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded: list[str] = json.loads(done.stdout.splitlines()[-1])
    return loaded


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


class TestVersion:
    def test_installed_version_is_that_of_pyproject(self) -> None:
        declared = PROJECT["project"]["version"]
        assert importlib.metadata.version(PROJECT["project"]["name"]) == declared, (
            "pyproject.toml is newer than the installation: make install-dev"
        )

    def test_stands_nowhere_else(self) -> None:
        assigned = re.compile(r"^(__version__|VERSION)\s*(:.*)?=\s*[\"']\d", re.MULTILINE)
        assert not [p for p in SOURCES if assigned.search(p.read_text("utf-8"))]

    def test_changelog_has_an_unreleased_part(self) -> None:
        assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text("utf-8")


class TestCommands:
    @pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
    def test_documented_make_targets_exist(self, document: str) -> None:
        named = set(
            re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / document).read_text("utf-8"), re.MULTILINE)
        )
        assert named
        assert named <= targets()

    def test_readme_names_both_commands(self) -> None:
        assert {"make search", "make test"} <= set(lines_of(ROOT / "README.md"))

    def test_readmes_python_runs(self) -> None:
        example = re.search(
            r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL
        )
        assert example is not None
        names: dict[str, Any] = {}
        exec(example[1], names)
        assert names["enlarged"].shape == (1, 3, 192, 256)

    def test_ci_runs_the_readmes_test_command(self) -> None:
        assert "make test" in lines_of(ROOT / ".ci" / "run")
        assert (ROOT / ".ci" / "run").stat().st_mode & 0o111

    def test_relative_links_lead_somewhere(self) -> None:
        dead = [
            f"{document.name}: {link}"
            for document in ROOT.glob("*.md")
            for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", document.read_text("utf-8"))
            if not (document.parent / link).exists()
        ]
        assert not dead

    def test_console_script_leads_somewhere(self) -> None:
        module, _, function = PROJECT["project"]["scripts"]["nas"].partition(":")
        assert importlib.util.find_spec(module) is not None
        assert callable(getattr(importlib.import_module(module), function))


class TestSources:
    def test_are_found(self) -> None:
        assert len(SOURCES) > 20

    def test_modules_stay_small(self) -> None:
        long = {
            str(path.relative_to(ROOT)): len(lines_of(path))
            for path in SOURCES
            if path.relative_to(ROOT).parts[0] in PACKAGES and len(lines_of(path)) > 300
        }
        assert not long

    def test_name_no_machine(self) -> None:
        # Put together from pieces, so that this file does not find itself.
        machine = re.compile("|".join((r"(?<![\w.])/" + r"work/", r"/" + r"(root|home/\w+)/")))
        assert not relative([p for p in TEXTS if machine.search(p.read_text("utf-8"))])

    def test_have_no_utils(self) -> None:
        shunned = {"utils.py", "helpers.py", "misc.py", "common.py"}
        assert not relative([p for p in SOURCES if p.name in shunned])

    def test_every_package_folder_has_an_init(self) -> None:
        folders = {p.parent for p in SOURCES if p.relative_to(ROOT).parts[0] in PACKAGES}
        assert not relative(sorted(f for f in folders if not (f / "__init__.py").is_file()))

    def test_every_package_says_that_it_is_typed(self) -> None:
        assert all((ROOT / name / "py.typed").is_file() for name in PACKAGES)

    def test_public_names_lead_somewhere(self) -> None:
        assert {"Trainer", "run_search", "Prices", "make_settings"} <= set(nas.__all__)
        assert all(getattr(nas, name).__doc__ for name in nas.__all__)
        assert all(f"``{name}``" in str(nas.__doc__) or f"nas.{name}(" in str(nas.__doc__)
                   for name in nas.__all__ if name not in ("Run", "TrialRecord"))  # fmt: skip

    def test_no_test_folder_shadows_a_package(self) -> None:
        assert not [name for name in PACKAGES if (ROOT / "tests" / name).exists()]


class TestLoading:
    @pytest.mark.parametrize("package", PACKAGES)
    def test_importing_a_package_loads_nothing_heavy(self, package: str) -> None:
        assert heavy_after(f"import {package}") == []

    def test_help_loads_nothing_heavy(self) -> None:
        code = (
            "import sys\n"
            "from nas.cli.main import main\n"
            "sys.argv = ['nas', '--help']\n"
            "try:\n"
            "    code = main()\n"
            "except SystemExit as ending:\n"
            "    code = ending.code\n"
            "assert not code, code\n"
        )
        assert heavy_after(code) == []

    def test_reports_load_neither_torch_nor_optuna(self) -> None:
        modules = [
            ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for path in (ROOT / "reports").rglob("*.py")
        ]
        code = "".join(f"import {module}\n" for module in modules)
        assert not {"torch", "optuna"} & set(heavy_after(code))
