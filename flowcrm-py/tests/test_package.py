"""What the package is made of: nothing stale, nothing missing, and right to a type checker."""

from __future__ import annotations

import doctest
import re
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import flowcrm
from flowcrm import aio_groups, groups, _native, errors, types

PACKAGE = Path(__file__).parent.parent
USER_SCRIPTS = Path(__file__).parent / "user"


def test_generated_files_are_fresh() -> None:
    subprocess.run([sys.executable, PACKAGE / "tools" / "generate.py", "--check"], check=True)


@pytest.mark.parametrize("caller", [groups.Caller, aio_groups.Caller])
def test_every_operation_is_a_method(caller: type) -> None:
    source = Path(sys.modules[caller.__module__].__file__ or "").read_text(encoding="utf-8")
    for group, name, operation in _native.operations():
        class_name = getattr(caller, group).fget.__annotations__["return"]
        method = getattr(getattr(sys.modules[caller.__module__], class_name), name)
        assert callable(method) and method.__doc__
        assert f'"{operation}"' in source
    assert len(_native.operations()) > 50


def test_types_can_be_read_by_programs() -> None:
    records = [getattr(types, name) for name in types.__all__ if isinstance(getattr(types, name), type)]
    assert len(records) > 50
    assert all(get_type_hints(record) for record in records)


def test_every_code_has_its_class() -> None:
    for code, status, class_name in _native.codes():
        assert issubclass(getattr(errors, class_name), flowcrm.FlowCrmError), code
        assert 400 <= status < 600


def test_examples_in_docstrings_run() -> None:
    assert doctest.testmod(flowcrm).attempted >= 2
    assert doctest.testmod(flowcrm).failed == 0


def test_the_readme_runs(tmp_path: Path) -> None:
    text = (PACKAGE / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 3
    (tmp_path / "leads.csv").write_text("name,email,value\nGrace,grace@example.com,99.5\n,nobody,1\n")
    script = tmp_path / "readme.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def check(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=PACKAGE, capture_output=True, text=True, check=False
    )


def test_the_package_is_clean_under_mypy() -> None:
    done = check("mypy", "--config-file", "pyproject.toml", "python/flowcrm", "tools", "tests")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("checker", [("mypy", "--strict"), ("pyright", "--pythonpath", sys.executable)])
def test_a_users_script_is_checked(checker: tuple[str, ...]) -> None:
    clean = check(*checker, str(USER_SCRIPTS / "clean.py"))
    assert clean.returncode == 0, clean.stdout + clean.stderr
    mistaken = check(*checker, str(USER_SCRIPTS / "mistaken.py"))
    expected = (USER_SCRIPTS / "mistaken.py").read_text(encoding="utf-8").count("# wrong")
    found = set(re.findall(r"mistaken\.py:(\d+)(?::\d+)?(?:: error| - error)", mistaken.stdout))
    assert len(found) == expected, mistaken.stdout
