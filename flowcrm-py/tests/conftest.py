"""A CRM on each engine that is at hand: SQLite always, Postgres where FLOWCRM_TEST_POSTGRES names a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

import flowcrm

PASSWORD = "correct horse battery"
SECRET = "a secret of at least thirty-two bytes"
SERVER = os.environ.get("FLOWCRM_TEST_POSTGRES")
ENGINES = ["sqlite", *(["postgres"] if SERVER else [])]


@pytest.fixture(params=ENGINES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite:{tmp_path / 'crm.db'}"
        return
    assert SERVER
    name = f"py_{uuid4().hex}"
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        yield f"{SERVER.rsplit('/', 1)[0]}/{name}"
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def crm(url: str) -> Iterator[flowcrm.Crm]:
    with flowcrm.open(url, secret=SECRET, migrate=True) as opened:
        yield opened


@pytest.fixture
def me(crm: flowcrm.Crm) -> flowcrm.Caller:
    """The OWNER of a new organization."""
    return register(crm)


def execute(path: Path, statement: str) -> str:
    """Executes a statement on a SQLite file, and gives what it answers.

    In a process of its own: two copies of SQLite in one process lose each other's locks.
    """
    script = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]))"
    command = [sys.executable, "-c", script, str(path), statement]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def rows(url: str, table: str) -> int:
    """How many rows a table has, asked past the package."""
    count = f"SELECT count(*) FROM {table}"
    if url.startswith("sqlite:"):
        return int(execute(Path(url.removeprefix("sqlite:")), count).strip("(,)\n"))
    with psycopg.connect(url) as database:
        row = database.execute(count).fetchone()
        return int(row[0]) if row else 0


def register(crm: flowcrm.Crm, organization: str = "acme") -> flowcrm.Caller:
    email = f"owner@{organization}.example"
    return crm.register(name="Ada", email=email, password=PASSWORD, org_name=organization)
