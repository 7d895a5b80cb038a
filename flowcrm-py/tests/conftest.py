"""A CRM on each engine that is at hand: SQLite always, Postgres where FLOWCRM_TEST_POSTGRES names a server."""

from __future__ import annotations

import os
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


def register(crm: flowcrm.Crm, organization: str = "acme") -> flowcrm.Caller:
    email = f"owner@{organization}.example"
    return crm.register(name="Ada", email=email, password=PASSWORD, org_name=organization)
