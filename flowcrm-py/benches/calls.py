"""Measures calls from Python: through FlowCRM, and by hand with sqlite3 and SQLAlchemy. Called by `make bench-languages`."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import flowcrm

ACTOR = """SELECT u.name, u.role, u.is_operator, o.name AS org_name, o.currency, o.time_zone
FROM users u JOIN organizations o ON o.id = u.org_id WHERE u.org_id = :org AND u.id = :user AND u.active"""

LEAD = """SELECT l.*,
EXISTS (SELECT 1 FROM activities a WHERE a.org_id = l.org_id AND a.lead_id = l.id) AS has_activities,
EXISTS (SELECT 1 FROM deals d WHERE d.org_id = l.org_id AND d.lead_id = l.id) AS has_deals
FROM leads l WHERE l.org_id = :org AND l.id = :lead"""

CREATE = """INSERT INTO leads (org_id, id, name, company, status, value, owner_id, is_converted, search, version,
created_at, updated_at) VALUES (:org, :lead, :name, 'Eckert-Mauchly', 'NEW', 125050, :user, 0, '', 1, :now, :now)"""


def per_second(seconds: float, call: Callable[[int], object]) -> float:
    for number in range(200):
        call(number)
    count, begun = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < seconds:
        call(count * 7)
        count += 1
    return count / elapsed


def through_flowcrm(asked: dict[str, Any]) -> dict[str, float]:
    leads, seconds = asked["leads"], asked["seconds"]
    with flowcrm.open(asked["url"], secret=asked["secret"]) as crm:
        me = crm.as_user(asked["email"])
        return {
            "read": per_second(seconds, lambda number: me.leads.get(leads[number % len(leads)])),
            "create": per_second(
                seconds,
                lambda number: me.leads.create(name=f"Jean Bartik {number}", company="Eckert-Mauchly", value=1250.5),
            ),
        }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def by_hand(asked: dict[str, Any]) -> dict[str, dict[str, float]]:
    import sqlalchemy

    path, seconds = asked["url"].removeprefix("sqlite:"), asked["seconds"]
    leads = [UUID(lead).bytes for lead in asked["leads"]]
    plain = sqlite3.connect(path, isolation_level=None)
    plain.row_factory = sqlite3.Row
    plain.execute("PRAGMA foreign_keys = ON")
    plain.execute("PRAGMA synchronous = NORMAL")
    org, user = plain.execute("SELECT org_id, id FROM users").fetchone()
    known = {"org": org, "user": user}

    def read(number: int) -> dict[str, Any]:
        plain.execute("BEGIN")
        plain.execute(ACTOR, known).fetchone()
        lead = dict(plain.execute(LEAD, {**known, "lead": leads[number % len(leads)]}).fetchone())
        plain.execute("COMMIT")
        return lead

    def create(number: int) -> None:
        plain.execute("BEGIN IMMEDIATE")
        plain.execute(CREATE, {**known, "lead": uuid4().bytes, "name": f"Jean Bartik {number}", "now": now()})
        plain.execute("COMMIT")

    engine = sqlalchemy.create_engine(f"sqlite:///{path}")

    @sqlalchemy.event.listens_for(engine, "connect")
    def settle(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")

    actor_text, lead_text, create_text = (sqlalchemy.text(statement) for statement in (ACTOR, LEAD, CREATE))

    def read_alchemy(number: int) -> dict[str, Any]:
        with engine.begin() as connection:
            connection.execute(actor_text, known).mappings().one()
            found = connection.execute(lead_text, {**known, "lead": leads[number % len(leads)]})
            return dict(found.mappings().one())

    def create_alchemy(number: int) -> None:
        with engine.begin() as connection:
            values = {**known, "lead": uuid4().bytes, "name": f"Jean Bartik {number}", "now": now()}
            connection.execute(create_text, values)

    return {
        "sqlite3": {"read": per_second(seconds, read), "create": per_second(seconds, create)},
        "SQLAlchemy": {"read": per_second(seconds, read_alchemy), "create": per_second(seconds, create_alchemy)},
    }


def main() -> None:
    asked = json.load(sys.stdin)
    measured = {"Python": through_flowcrm(asked)}
    if asked["url"].startswith("sqlite:"):
        measured.update(by_hand(asked))
    json.dump(measured, sys.stdout)


if __name__ == "__main__":
    main()
