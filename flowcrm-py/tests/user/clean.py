"""What a user of the package may write; type checkers find nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal

import flowcrm
import flowcrm.aio
from flowcrm.types import Import, Lead, LeadStatus


def seen(now: Import) -> None:
    print(now["state"], now["created"])


def work() -> None:
    with flowcrm.open("sqlite:crm.db") as crm:
        me = crm.sign_in(email="ada@example.com", password="correct horse")
        lead = me.leads.create(name="Charles", value=Decimal("12.50"), status="NEW", idempotency_key="k")
        value: Decimal = lead["value"]
        made: datetime = lead["created_at"]
        status: LeadStatus = lead["status"]
        names: list[str] = [lead["name"] for lead in me.leads.list(status="NEW", limit=10, count=True)]
        patched: Lead = me.leads.update(lead["id"], version=lead["version"], notes=None)
        outcomes = me.leads.bulk(ids=[lead["id"]], set={"status": "CONTACTED"})
        done = me.leads.import_csv("leads.csv", mapping={"name": "Full name"}, progress=seen)
        me.leads.delete(patched["id"])
        print(value, made, status, names, [it["ok"] for it in outcomes], done["created"])
        try:
            me.deals.get("x")
        except flowcrm.NotFound as error:
            print(error.code, error.status, [bad["field"] for bad in error.errors])


async def work_on() -> None:
    async with await flowcrm.aio.open("sqlite:crm.db") as crm:
        me = await crm.as_user("ada@example.com")
        async for lead in me.leads.list(q="charles"):
            total: Decimal = lead["value"]
            print(total)
        stats = await me.dashboard.stats()
        print(stats["total_leads"])


if __name__ == "__main__":
    work()
    asyncio.run(work_on())
