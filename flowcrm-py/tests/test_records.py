"""Working on records, on each engine."""

from __future__ import annotations

import asyncio
import faulthandler
import io
import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from time import sleep
from typing import Any

import psycopg
import pyarrow
import pytest
from conftest import PASSWORD, SECRET, execute, register, rows

import flowcrm
import flowcrm.aio
from flowcrm.types import Import


def test_people_sign_in_and_have_their_rights(crm: flowcrm.Crm, me: flowcrm.Caller) -> None:
    eve = me.users.create(name="Eve", email="eve@acme.example", password=PASSWORD, role="SALES")
    sales = crm.sign_in(email="eve@acme.example", password=PASSWORD)
    assert sales.id == eve["id"]
    with pytest.raises(flowcrm.PermissionDenied) as refused:
        sales.audit.list().__next__()
    assert (refused.value.code, refused.value.status) == ("forbidden", 403)
    with pytest.raises(flowcrm.AuthenticationError) as failed:
        crm.sign_in(email="eve@acme.example", password="wrong horse battery")
    assert failed.value.code == "sign_in_failed"
    trusted = crm.as_user("eve@acme.example")
    assert trusted.account.get()["email"] == "eve@acme.example"
    assert crm.as_user(eve["id"]).id == eve["id"]
    with pytest.raises(flowcrm.NotFound):
        crm.as_user("nobody@acme.example")
    me.users.deactivate(eve["id"])
    with pytest.raises(flowcrm.AuthenticationError):
        sales.leads.create(name="Too late")


def test_records_are_pythons(me: flowcrm.Caller) -> None:
    before = datetime.now(UTC) - timedelta(seconds=5)
    lead = me.leads.create(name="Zoë", value=Decimal("10000000000.00"), assigned_to_id=me.id)
    assert lead["value"] == Decimal("10000000000") and isinstance(lead["value"], Decimal)
    assert lead["created_at"].tzinfo is not None and lead["created_at"] > before
    assert (lead["assigned_to_id"], lead["status"], lead["notes"]) == (me.id, "NEW", None)
    read = me.leads.get(lead["id"])
    assert {name: read[name] for name in lead} == lead  # type: ignore[literal-required]
    assert isinstance(me.leads.create(name="Exact", value=0.1)["value"], Decimal)
    assert me.leads.create(name="Exact", value=0.1)["value"] == Decimal("0.1")
    due = datetime(2027, 1, 31, 12, tzinfo=timezone(timedelta(hours=2)))
    task = me.tasks.create(title="Call", due_date=due, lead_id=lead["id"], assigned_to_id=me.id)
    assert task["due_date"] == due
    changed = me.leads.update(lead["id"], notes="Hello", version=lead["version"])
    assert (changed["notes"], changed["version"]) == ("Hello", lead["version"] + 1)
    with pytest.raises(flowcrm.Conflict) as stale:
        me.leads.update(lead["id"], notes="Again", version=lead["version"])
    assert stale.value.code == "stale_version"
    assert me.leads.update(lead["id"], notes=None)["notes"] is None
    converted = me.leads.convert(lead["id"])
    assert converted["deal"]["value"] == Decimal("10000000000")
    outcomes = me.leads.bulk(ids=[lead["id"]], set={"assigned_to_id": None})
    assert [outcome["ok"] for outcome in outcomes] == [True]
    me.tasks.delete(task["id"])
    with pytest.raises(flowcrm.NotFound):
        me.tasks.get(task["id"])
    assert me.notifications.mark_all_read() >= 0
    entries = [entry["action"] for entry in me.audit.list(entity_id=lead["id"])]
    assert "lead:created" in entries
    assert me.dashboard.stats()["total_leads"] == 3


def test_lists_walk_their_pages(me: flowcrm.Caller) -> None:
    for number in range(7):
        me.leads.create(name=f"Lead {number}")
    leads = me.leads.list(limit=2, count=True, sort="name")
    assert leads.total == 7
    assert [lead["name"] for lead in leads] == [f"Lead {number}" for number in range(7)]
    assert [lead["name"] for lead in me.leads.list(q="lead", limit=3)].__len__() == 7
    assert next(me.leads.list()).keys() == me.leads.create(name="Last").keys()
    assert list(me.leads.list(status="LOST")) == [] and me.leads.list().total is None


def test_bad_fields_are_all_named_in_the_names_of_python(me: flowcrm.Caller) -> None:
    with pytest.raises(flowcrm.ValidationError) as bad:
        me.deals.create(title="", expected_close="tomorrow", lead_id="x", colour="red")  # type: ignore[call-arg]
    assert (bad.value.code, bad.value.status) == ("validation_failed", 400)
    fields = [error["field"] for error in bad.value.errors]
    assert set(fields) == {"title", "lead_id", "expected_close", "colour"}
    assert "expected_close" in str(bad.value) and "expectedClose" not in str(bad.value)


def test_creating_is_done_once_per_key(me: flowcrm.Caller) -> None:
    first = me.leads.create(name="Once", idempotency_key="key-1")
    assert me.leads.create(name="Once", idempotency_key="key-1") == first
    with pytest.raises(flowcrm.Conflict) as other:
        me.leads.create(name="Twice", idempotency_key="key-1")
    assert other.value.code == "idempotency_mismatch"


def test_files_go_in_and_out(me: flowcrm.Caller, crm: flowcrm.Crm, tmp_path: Path) -> None:
    rows = "".join(f"Lead {number},lead{number}@example.com,{number}.50\n" for number in range(1_500))
    file = tmp_path / "leads.csv"
    file.write_text(f"Full name,Mail,Worth\n{rows},bad,1\n", encoding="utf-8")
    told: list[Import] = []
    mapping = {"name": "Full name", "email": "Mail", "value": "Worth"}
    done = me.leads.import_csv(file, mapping=mapping, progress=told.append)  # type: ignore[arg-type]
    assert (done["state"], done["created"], done["rejected"]) == ("DONE", 1_500, 1)
    assert told[-1] == done and done["file"] == "leads.csv"
    rejected = list(me.imports.rejected(done["id"]))
    assert [row["line"] for row in rejected] == [1_502]
    me.imports.rejected_file(done["id"], tmp_path / "rejected.csv")
    assert "bad" in (tmp_path / "rejected.csv").read_text(encoding="utf-8")
    written = me.leads.export(tmp_path / "out.csv", min_value=1_000)
    out = (tmp_path / "out.csv").read_bytes()
    assert written == len(out) and out.count(b"\n") == 501
    again = me.leads.import_csv(file.read_bytes(), mapping=mapping)  # type: ignore[arg-type]
    assert (again["created"], again["skipped"]) == (0, 1_500)
    with pytest.raises(flowcrm.ValidationError) as bad:
        me.leads.import_csv(b"name\nx\n", mapping={"name": "Nowhere"}, date_order="XYZ")  # type: ignore[arg-type]
    assert bad.value.errors[0]["field"].startswith("options.")
    with pytest.raises(flowcrm.ValidationError, match="file must be opened for bytes"):
        me.leads.import_csv(file.open(encoding="utf-8"))  # type: ignore[arg-type]
    with pytest.raises(flowcrm.ValidationError, match="file must be opened for bytes"):
        me.leads.export(io.StringIO())  # type: ignore[arg-type]
    for no_file in [5, None, ["x"]]:
        with pytest.raises(flowcrm.ValidationError, match="file must be a path"):
            me.leads.import_csv(no_file)  # type: ignore[arg-type]
        with pytest.raises(flowcrm.ValidationError, match="file must be a path"):
            me.leads.export(no_file)  # type: ignore[arg-type]
    with crm.worker():
        me.imports.undo(done["id"])
        for _ in range(200):
            if me.imports.get(done["id"])["state"] == "UNDONE":
                break
            asyncio.run(asyncio.sleep(0.05))
    assert me.leads.list(count=True).total == 0


def test_a_list_is_a_table_of_arrow(me: flowcrm.Caller) -> None:
    empty = pyarrow.table(me.leads.arrow())
    assert empty.num_rows == 0 and empty.schema.field("value").type == pyarrow.decimal128(18, 4)
    for number in range(450):
        me.leads.create(name=f"Lead {number}", value=Decimal(number) / 4)
    table = pyarrow.table(me.leads.arrow(sort="value"))
    assert table.schema == empty.schema and table.num_rows == 450
    assert table.column("value").to_pylist() == [Decimal(number) / 4 for number in range(450)]
    listed = list(me.leads.list(sort="value"))
    assert set(table.column_names) == set(listed[0]) and table.column_names[0] == "id"
    assert table.to_pylist()[7] == listed[7]
    assert pyarrow.table(me.leads.arrow(q="lead", min_value=100)).num_rows == 50
    assert pyarrow.table(me.deals.arrow()).num_rows == 0
    tasks = me.tasks.create(title="Call", assigned_to_id=me.id, due_date="2027-01-31")
    assert pyarrow.table(me.tasks.arrow()).to_pylist() == [tasks]
    stream = me.leads.arrow()
    assert pyarrow.table(stream).num_rows == 450
    with pytest.raises(ValueError, match="once"):
        pyarrow.table(stream)
    with pytest.raises(flowcrm.ValidationError):
        me.leads.arrow(name=float("nan"))  # type: ignore[call-arg]
    with pytest.raises(pyarrow.ArrowInvalid, match="status"):
        pyarrow.table(me.leads.arrow(status="SOLD"))  # type: ignore[arg-type]


def test_a_table_is_read_without_the_gil(url: str, me: flowcrm.Caller) -> None:
    if url.startswith("sqlite:"):
        pytest.skip("SQLite's readers never wait for anybody")
    me.leads.create(name="Ada")
    script = """
import ctypes, sys, threading, time
import flowcrm, psycopg

class Stream(ctypes.Structure):
    _fields_ = [(name, ctypes.c_void_p) for name in ["schema", "next", "error", "release", "private"]]

crm = flowcrm.open(sys.argv[1], secret=sys.argv[2])
me = crm.as_user("owner@acme.example")
capsule = me.leads.arrow().__arrow_c_stream__()
address = ctypes.pythonapi.PyCapsule_GetPointer
address.argtypes, address.restype = [ctypes.py_object, ctypes.c_char_p], ctypes.c_void_p
stream = address(capsule, b"arrow_array_stream")
lock = psycopg.connect(sys.argv[1])
lock.execute("LOCK TABLE leads IN ACCESS EXCLUSIVE MODE")
threading.Timer(0.3, lock.commit).start()
# A library that keeps the GIL while it reads.
read = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(Stream.from_address(stream).next)
batch = ctypes.create_string_buffer(200)
print(read(stream, ctypes.addressof(batch)), ctypes.c_int64.from_buffer(batch).value)
"""
    command = [sys.executable, "-c", script, url, SECRET]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 1\n", "")


def test_why_a_table_ends_is_logged(url: str, me: flowcrm.Caller, caplog: pytest.LogCaptureFixture) -> None:
    if url.startswith("sqlite:"):
        pytest.skip("Postgres lets others take a table away")
    me.leads.create(name="Ada")
    with psycopg.connect(url) as database:
        database.execute("ALTER TABLE leads RENAME COLUMN notes TO remarks")
    with pytest.raises(pyarrow.ArrowInvalid, match="its log"):
        pyarrow.table(me.leads.arrow())
    for _ in range(100):
        if "notes" in caplog.text:
            break
        sleep(0.02)
    assert "a table could not be read on" in caplog.text and "notes" in caplog.text


def test_threads_share_a_handle(me: flowcrm.Caller) -> None:
    def create(number: int) -> str:
        return me.leads.create(name=f"Lead {number}")["id"]

    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(create, range(80)))
    assert Counter(ids).most_common(1)[0][1] == 1 and me.leads.list(count=True).total == 80


def test_asyncio_does_the_same(url: str) -> None:
    async def play() -> None:
        async with await flowcrm.aio.open(url, secret=SECRET, migrate=True) as crm:
            me = await crm.register(name="Ada", email="ada@x.example", password=PASSWORD, org_name="x")
            leads = await asyncio.gather(*(me.leads.create(name=f"Lead {number}") for number in range(20)))
            listing = me.leads.list(limit=7, count=True, sort="createdAt")
            assert await listing.total() == 20
            assert {lead["id"] async for lead in listing} == {lead["id"] for lead in leads}
            with pytest.raises(flowcrm.NotFound):
                await me.leads.get("x")
            done = await me.leads.import_csv(b"name\nGrace\n")
            assert done["created"] == 1
            assert await me.leads.export("/dev/null") > 0
            waiting = asyncio.create_task(me.leads.create(name="Cancelled"))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await me.leads.create(name="After"))["name"] == "After"

    asyncio.run(play())


MANY = b"name\n" + b"".join(b"Grace Hopper the %d.\n" % number for number in range(40_000))


async def asyncio_owner(url: str) -> tuple[flowcrm.aio.Crm, flowcrm.aio.Caller]:
    crm = await flowcrm.aio.open(url, secret=SECRET, migrate=True)
    return crm, await crm.register(name="Ada", email="ada@x.example", password=PASSWORD, org_name="x")


def test_an_import_that_is_cancelled_leaves_nothing_or_goes_on(url: str) -> None:
    async def play() -> None:
        crm, me = await asyncio_owner(url)
        for pause in [0.0, 0.01, 0.05, 0.1, 0.2, 0.4, 0.8]:
            importing = asyncio.create_task(me.leads.import_csv(MANY))
            await asyncio.sleep(pause)
            importing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await importing
            imports = [one async for one in me.imports.list()]
            assert rows(url, "imports") == len(imports)
            for one in imports:
                while (now := await me.imports.get(one["id"]))["state"] != "DONE":
                    await asyncio.sleep(0.05)
                assert now["created"] + now["skipped"] == 40_000
        assert rows(url, "import_batches") == 0
        await crm.close()

    asyncio.run(asyncio.wait_for(play(), 120))


def is_open(path: Path) -> bool:
    return any(os.path.realpath(opened) == str(path) for opened in Path("/proc/self/fd").iterdir())


def test_a_loop_does_not_wait_for_a_file_that_stalls(url: str, tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)

    async def give_up(working: asyncio.Task[Any]) -> None:
        await asyncio.sleep(0.2)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working

    async def play() -> None:
        crm, me = await asyncio_owner(url)
        # Nobody writes: opening waits.
        await give_up(asyncio.create_task(me.leads.import_csv(path)))
        writer = os.open(path, os.O_WRONLY)
        os.close(writer)
        # Somebody writes, and then no more: reading waits.
        writer = os.open(path, os.O_RDWR)
        os.write(writer, b"name\nGrace\n")
        await give_up(asyncio.create_task(me.leads.import_csv(path)))
        os.write(writer, b"Ada\n")
        os.close(writer)
        # Nobody reads: opening waits.
        await give_up(asyncio.create_task(me.leads.export(path)))
        os.close(os.open(path, os.O_RDONLY))
        while is_open(path):
            await asyncio.sleep(0.05)
        assert rows(url, "imports") == 0
        await crm.close()

    # A loop that waits for the file would do so for ever.
    faulthandler.dump_traceback_later(60, exit=True)
    try:
        asyncio.run(asyncio.wait_for(play(), 50))
    finally:
        faulthandler.cancel_dump_traceback_later()


class Hesitant(io.RawIOBase):
    """Takes a part of what it is given."""

    taken = b""

    def write(self, given: Any) -> int:
        part = bytes(given)[:7]
        self.taken += part
        return len(part)


def test_a_file_that_takes_parts_gets_all(me: flowcrm.Caller) -> None:
    me.leads.create(name="Ada")
    file = Hesitant()
    written = me.leads.export(file)  # type: ignore[arg-type]
    assert written == len(file.taken) and b"Ada" in file.taken


def test_files_are_called_as_text_can_say(me: flowcrm.Caller, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"leads-\xff.csv")
    path.write_bytes(b"name\nGrace\n")
    assert me.leads.import_csv(path)["file"] == "leads-?.csv"
    with path.open("rb") as opened:
        assert me.leads.import_csv(opened)["file"] == "leads-?.csv"
    assert me.leads.import_csv(bytearray(b"name\nAda\n"))["file"] == "import.csv"


def test_an_import_that_nobody_awaits_leaves_nothing(url: str) -> None:
    async def play() -> None:
        crm, me = await asyncio_owner(url)
        for steps in range(1, 6):
            importing = me.leads.import_csv(MANY)
            for _ in range(steps):
                waited_for = importing.send(None)
                while not waited_for.done():
                    await asyncio.sleep(0.01)
            importing.close()
        while rows(url, "imports") > 0:
            await asyncio.sleep(0.05)
        await crm.close()

    asyncio.run(asyncio.wait_for(play(), 60))


def test_progress_may_be_awaited(url: str) -> None:
    told: list[str] = []

    async def progress(now: Import) -> None:
        await asyncio.sleep(0)
        told.append(now["state"])

    async def play() -> None:
        crm, me = await asyncio_owner(url)
        await me.leads.import_csv(b"name\nGrace\n", progress=progress)
        await crm.close()

    asyncio.run(play())
    assert told[-1] == "DONE"


def test_codes_are_called_as_they_are_given(crm: flowcrm.Crm, me: flowcrm.Caller) -> None:
    with pytest.raises(flowcrm.ValidationError) as refused:
        crm.sign_in(email="owner@acme.example", password=PASSWORD, code=123_456)  # type: ignore[arg-type]
    assert [bad["field"] for bad in refused.value.errors] == ["code"]
    assert crm.sign_in(email="owner@acme.example", password=PASSWORD).id == me.id


def test_what_fails_in_the_background_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "crm.db"
    with flowcrm.open(f"sqlite:{path}") as crm:
        me = register(crm)
        execute(path, "CREATE TRIGGER broken BEFORE INSERT ON leads BEGIN SELECT RAISE(ABORT, 'a broken trigger'); END")
        with pytest.raises(flowcrm.ValidationError, match="in its log"):
            me.leads.import_csv(b"name\nGrace\n")
        for _ in range(100):
            if "a broken trigger" in caplog.text:
                break
            sleep(0.02)
        assert [record.name for record in caplog.records][0] == "flowcrm"
        assert "an import could not go on" in caplog.text and "a broken trigger" in caplog.text


def test_organizations_do_not_meet(crm: flowcrm.Crm, me: flowcrm.Caller) -> None:
    lead = me.leads.create(name="Ours")
    other = register(crm, "other")
    with pytest.raises(flowcrm.NotFound):
        other.leads.get(lead["id"])
    assert list(other.leads.list()) == []
