"""Imports a CSV file of leads, fills in what it does not say, and draws the pipeline in the terminal.

    pip install ./flowcrm-py
    python examples/python/report.py leads.csv sqlite:report.db

Run it again with a newer file: what is there already is updated by email, never doubled.
"""

from __future__ import annotations

import sys
from collections import Counter
from decimal import Decimal

import flowcrm

WIDTH = 40
FREE_MAIL = {"gmail.com", "outlook.com", "yahoo.com", "icloud.com"}


def sign_in(crm: flowcrm.Crm) -> flowcrm.Caller:
    """The only user, who is registered when there is none yet."""
    email = "report@example.com"
    try:
        return crm.as_user(email)
    except flowcrm.NotFound:
        return crm.register(name="Report", email=email, password="correct horse battery", org_name="Report")


def enrich(me: flowcrm.Caller) -> int:
    """Names the company of leads who write from an address of their own; returns of how many."""
    named = 0
    for lead in me.leads.list(limit=200, sort="name"):
        domain = (lead["email"] or "").rpartition("@")[2].lower()
        if lead["company"] is None and domain and domain not in FREE_MAIL:
            me.leads.update(lead["id"], company=domain.partition(".")[0].capitalize(), version=lead["version"])
            named += 1
    return named


def chart(figures: dict[str, Decimal]) -> str:
    """A bar for each figure, the largest as wide as the chart."""
    largest = max(figures.values(), default=Decimal(0)) or Decimal(1)
    lines = []
    for name, figure in sorted(figures.items(), key=lambda item: -item[1]):
        bar = "█" * round(WIDTH * figure / largest)
        lines.append(f"{name:<14} {bar:<{WIDTH}} {figure:>14,.2f}")
    return "\n".join(lines)


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print("usage: report.py FILE [URL]", file=sys.stderr)
        return 2
    file, url = sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "sqlite:report.db"
    with flowcrm.open(url) as crm:
        me = sign_in(crm)
        try:
            done = me.leads.import_csv(file, on_duplicate="update")
        except flowcrm.ValidationError as error:
            print(f"{file}: {error}", file=sys.stderr)
            return 1
        print(f"{done['created']} created, {done['updated']} updated, {done['rejected']} rejected")
        for row in me.imports.rejected(done["id"]):
            print(f"  line {row['line']}: {row['reason']}")
        print(f"{enrich(me)} companies named by their addresses\n")
        worth: Counter[str] = Counter()
        for lead in me.leads.list(limit=200):
            worth[lead["status"]] += lead["value"]  # type: ignore[assignment]
        print(chart({status: Decimal(value) for status, value in worth.items()}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
