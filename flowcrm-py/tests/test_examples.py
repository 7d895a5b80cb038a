"""The example of examples/python, as its users run it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPORT = Path(__file__).parent.parent.parent / "examples" / "python" / "report.py"


def run(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPORT), *arguments]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_the_report(tmp_path: Path) -> None:
    rows = "name,email,value,status\nGrace,grace@navy.example,100,NEW\nAlan,alan@gmail.com,50.5,WON\n,x@y.example,1,NEW\n"
    (tmp_path / "leads.csv").write_text(rows, encoding="utf-8")
    first = run(tmp_path, "leads.csv")
    assert first.returncode == 0, first.stderr
    assert "2 created, 0 updated, 1 rejected" in first.stdout and "line 4: " in first.stdout
    assert "1 companies named" in first.stdout
    bars = {line.split()[0]: line.count("█") for line in first.stdout.splitlines() if "█" in line}
    assert bars == {"NEW": 40, "WON": 20}
    again = run(tmp_path, "leads.csv")
    assert "0 created" in again.stdout and "0 companies named" in again.stdout
    (tmp_path / "empty.csv").write_bytes(b"")
    empty = run(tmp_path, "empty.csv")
    assert empty.returncode == 1 and "empty.csv" in empty.stderr
    assert run(tmp_path).returncode == 2
