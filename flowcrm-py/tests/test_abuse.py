"""What must never end the interpreter: wrong types, strange texts, closed handles, forks, exits."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRET

import flowcrm

DEEP: list[Any] = []
for _ in range(100):
    DEEP = [DEEP]
CYCLE: list[Any] = []
CYCLE.append(CYCLE)

# Values that no field of a lead takes as its name.
VALUES = [
    5,
    1.5,
    True,
    None,
    b"bytes",
    object(),
    float("nan"),
    Decimal("Infinity"),
    10**5_000,
    datetime(2026, 1, 1),
    {1: 2},
    {"a": "b"},
    ["x"],
    DEEP,
    CYCLE,
    "\ud800",
    "x" * 10_000_000,
    "nul\0",
    lambda: 1,
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_a_wrong_value_is_refused_by_its_field(me: flowcrm.Caller, value: Any) -> None:
    with pytest.raises(flowcrm.ValidationError) as refused:
        me.leads.create(name=value)
    assert [error["field"] for error in refused.value.errors] == ["name"]


def test_wrong_names_are_refused(me: flowcrm.Caller) -> None:
    for name in ["assignedToId", "\ud800", "x" * 1_000_000, "", "_", "a b"]:
        with pytest.raises(flowcrm.ValidationError):
            me.leads.create(**{"name": "Ada", name: None})  # type: ignore[arg-type]


def test_wrong_ids_versions_and_keys_are_refused(me: flowcrm.Caller) -> None:
    lead = me.leads.create(name="Ada")
    for id in [5, None, "\ud800", "x" * 1_000_000, object()]:
        with pytest.raises((flowcrm.NotFound, flowcrm.ValidationError)):
            me.leads.get(id)  # type: ignore[arg-type]
    for version in ["1", 1.5, True, 10**30, float("nan")]:
        with pytest.raises(flowcrm.ValidationError):
            me.leads.update(lead["id"], version=version)  # type: ignore[arg-type]
    for key in ["", "x" * 201, "é", 5, "\ud800"]:
        with pytest.raises(flowcrm.ValidationError):
            me.leads.create(name="Ada", idempotency_key=key)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["", "mysql://x", "sqlite:/no/such/folder/x.db", "postgres://127.0.0.1:1/x", 5, "\ud800"])
def test_a_wrong_url_is_an_exception(url: Any) -> None:
    with pytest.raises(flowcrm.FlowCrmError):
        flowcrm.open(url, secret=SECRET)


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(flowcrm.ValidationError) as refused:
        flowcrm.open(f"sqlite:{tmp_path / 'x.db'}", secret="short")
    assert refused.value.errors


def test_a_closed_crm_says_so(crm: flowcrm.Crm, me: flowcrm.Caller) -> None:
    listing = me.leads.list()
    crm.close()
    crm.close()
    with pytest.raises(flowcrm.Unavailable):
        me.leads.create(name="Ada")
    with pytest.raises(flowcrm.Unavailable):
        next(listing)


def use_in_child(url: str, me: flowcrm.Caller, results: Any) -> None:
    try:
        me.leads.create(name="From a fork")
        results.put("worked")
    except flowcrm.Conflict as error:
        with flowcrm.open(url, secret=SECRET) as crm:
            crm.as_user("owner@acme.example").leads.create(name="Opened anew")
        results.put(error.code)
    finally:
        results.close()
        results.join_thread()
        os._exit(0)


def test_a_fork_opens_its_own(url: str, me: flowcrm.Caller) -> None:
    forking = multiprocessing.get_context("fork")
    results = forking.Queue()
    child = forking.Process(target=use_in_child, args=(url, me, results))
    child.start()
    assert results.get(timeout=30) == "conflict"
    child.join(timeout=30)
    assert [lead["name"] for lead in me.leads.list()] == ["Opened anew"]


FORKING = """
import asyncio, os, sys
import flowcrm.aio
async def main():
    crm = await flowcrm.aio.open(sys.argv[1])
    me = await crm.register(name="A", email="a@b.example", password="correct horse", org_name="O")
    calls = [asyncio.ensure_future(me.leads.list(count=True).total()) for _ in range(400)]
    await asyncio.sleep(0)
    children = []
    for _ in range(20):
        sum(range(200_000))
        child = os.fork()
        if child == 0:
            return None
        children.append(child)
        await asyncio.sleep(0)
    await asyncio.gather(*calls)
    return [os.waitpid(child, 0)[1] for child in children]
loop = asyncio.new_event_loop()
codes = loop.run_until_complete(main())
if codes is not None:
    print(codes)
"""


def test_a_forked_child_ends_as_any_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKING, f"sqlite:{tmp_path / 'crm.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, f"{[0] * 20}\n"), done.stderr


LEAVING_A_FORK = """
import os, sys
import flowcrm
crm = flowcrm.open(sys.argv[1], secret=sys.argv[2])
me = crm.register(name="A", email="a@b.example", password="correct horse", org_name="O")
export = me._native.export("leads", {}).wait()
never_waited = me._native.call("createLead", {"name": "never"})
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
    for number in range(40):
        me.leads.create(name=f"Lead {number}")
    print(me.leads.list(count=True).total)
"""


def test_a_forked_child_leaves_its_parents_connections_alone(url: str, crm: flowcrm.Crm) -> None:
    command = [sys.executable, "-c", LEAVING_A_FORK, url, SECRET]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "40\n", "")


FORKING_WITHIN = """
import asyncio, os, sys
import flowcrm.aio
how, url, secret = sys.argv[1:]
account = dict(name="A", email="a@b.example", password="correct horse", org_name="O")
if how == "with":
    with flowcrm.open(url, secret=secret) as crm, crm.worker():
        me = crm.register(**account)
        if (child := os.fork()) == 0:
            sys.exit(0)
        print(os.waitpid(child, 0)[1])
        me.leads.create(name="After")
else:
    async def main():
        async with await flowcrm.aio.open(url, secret=secret) as crm, await crm.worker():
            me = await crm.register(**account)
            if (child := os.fork()) > 0:
                print(os.waitpid(child, 0)[1])
                await me.leads.create(name="After")
        if child == 0:
            # To end the child's loop would make that of the parent deaf.
            os._exit(0)
    asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["with", "async with"])
def test_a_forked_child_leaves_a_block_without_closing_what_is_its_parents(
    how: str, url: str, crm: flowcrm.Crm
) -> None:
    command = [sys.executable, "-c", FORKING_WITHIN, how, url, SECRET]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")


EXITING = """
import asyncio, sys, threading
import flowcrm, flowcrm.aio
how, url = sys.argv[1:]
if how == "threads":
    crm = flowcrm.open(url)
    me = crm.register(name="A", email="a@b.example", password="correct horse", org_name="O")
    def work():
        while True:
            me.leads.create(name="x")
    for _ in range(8):
        threading.Thread(target=work, daemon=True).start()
    import time; time.sleep(0.3)
else:
    async def main():
        crm = await flowcrm.aio.open(url)
        me = await crm.register(name="A", email="a@b.example", password="correct horse", org_name="O")
        jobs = [me._native.call("createLead", {"name": "x"}) for _ in range(500)]
        for job in jobs:
            job.start(lambda: None)
    asyncio.run(main())
"""


@pytest.mark.parametrize("how", ["threads", "jobs"])
def test_an_exit_with_calls_in_flight_is_quiet(how: str, tmp_path: Path) -> None:
    for attempt in range(5):
        command = [sys.executable, "-c", EXITING, how, f"sqlite:{tmp_path / f'{how}{attempt}.db'}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stderr) == (0, "")


CALLING_LATE = """
import asyncio, atexit, sys
def late():
    print(len(list(me.leads.list())))
    try:
        asyncio.run(flowcrm.aio.open("sqlite::memory:"))
    except flowcrm.Unavailable as error:
        print(error)
atexit.register(late)
import flowcrm, flowcrm.aio
me = flowcrm.open(sys.argv[1]).register(name="A", email="a@b.example", password="correct horse", org_name="O")
me.leads.create(name="x")
"""


def test_a_call_while_the_interpreter_exits_ends(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CALLING_LATE, f"sqlite:{tmp_path / 'crm.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\nThe interpreter is exiting.\n", "")


STALLING = """
import asyncio, os, sys
import flowcrm.aio
async def main():
    async with await flowcrm.aio.open("sqlite::memory:") as crm:
        me = await crm.register(name="A", email="a@b.example", password="correct horse", org_name="O")
        for _ in range(40):
            try:
                await asyncio.wait_for(me.leads.import_csv(sys.argv[1]), 0.01)
            except TimeoutError:
                pass
        print(await asyncio.to_thread(lambda: "others go on"))
asyncio.run(main())
"""


def test_files_that_stall_hold_neither_other_threads_nor_the_exit(tmp_path: Path) -> None:
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    command = [sys.executable, "-c", STALLING, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "others go on\n", "")


READING_INPUT = """
import asyncio, sys
import flowcrm.aio
async def main():
    async with await flowcrm.aio.open("sqlite::memory:") as crm:
        me = await crm.register(name="A", email="a@b.example", password="correct horse", org_name="O")
        try:
            await asyncio.wait_for(me.leads.import_csv(sys.stdin.buffer), 0.1)
        except TimeoutError:
            print("given up", flush=True)
asyncio.run(main())
"""


def test_a_program_ends_after_its_input_that_stalled() -> None:
    command = [sys.executable, "-c", READING_INPUT]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as program:
        assert program.stdout and program.stdout.readline() == "given up\n"
        _, heard = program.communicate(timeout=60)
    assert (program.returncode, heard) == (0, "")


LEAVING = """
import asyncio, gc, sys
import flowcrm, flowcrm.aio
how, url = sys.argv[1:]
account = dict(name="A", email="a@b.example", password="correct horse", org_name="O")
def leave():
    crm = flowcrm.open(url)
    worker = crm.worker()
    me = crm.register(**account)
    for number in range(300):
        me.leads.create(name=f"Lead {number}")
    listing, table = me.leads.list(limit=10), me.leads.arrow()
    next(listing)
    kept = me._native.export("leads", {}).wait()
    kept.next().wait()
    upload = me._native.begin_import("leads", "x.csv", {}).wait()
    upload.push(b"name\\n" + b"Grace\\n" * 5_000).wait()
    never_waited = me._native.call("createLead", {"name": "never"})
    if how == "exits":
        globals().update(locals())
async def leave_waiting():
    crm = await flowcrm.aio.open(url)
    me = await crm.register(**account)
    waiting = [asyncio.ensure_future(me.leads.create(name="x")) for _ in range(50)]
    await asyncio.sleep(0)
    for task in waiting[::2]:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
if how == "cancels":
    asyncio.run(leave_waiting())
else:
    leave()
gc.collect()
"""


@pytest.mark.parametrize("how", ["drops", "exits", "cancels"])
def test_what_nobody_closes_goes_quietly(how: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", LEAVING, how, f"sqlite:{tmp_path / 'crm.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_ends_a_wait(tmp_path: Path) -> None:
    path = tmp_path / "crm.db"
    with flowcrm.open(f"sqlite:{path}") as crm:
        crm.register(name="A", email="a@b.example", password="correct horse", org_name="O")
    script = (
        "import flowcrm, sys, threading, _thread\n"
        "me = flowcrm.open('sqlite:' + sys.argv[1]).as_user('a@b.example')\n"
        "threading.Timer(0.3, _thread.interrupt_main).start()\n"
        "try:\n    me.leads.create(name='waits')\nexcept KeyboardInterrupt:\n    print('interrupted')\n"
    )
    # Another process holds the file's lock: this one's own locks would not keep it out.
    lock = sqlite3.connect(path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    lock.close()
    assert done.stdout == "interrupted\n", done.stderr


def note(engine: str, calls: int, before: int, grown: int) -> None:
    """Keeps what the long proof saw."""
    if os.environ.get("FLOWCRM_PROOF") != "long":
        return
    file = Path(__file__).parent.parent.parent / "docs" / "figures" / "memory-python.json"
    figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    figures["command"] = "make prove-languages"
    figures[engine] = {"calls": calls, "residentKiB": before // 1024, "grownKiB": grown // 1024}
    file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def test_memory_stays_flat(url: str, me: flowcrm.Caller) -> None:
    """Short here; FLOWCRM_PROOF=long makes 100,000 calls of it."""
    calls = 100_000 if os.environ.get("FLOWCRM_PROOF") == "long" else 4_000
    lead = me.leads.create(name="Ada")

    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def call(times: int) -> None:
        for number in range(times):
            me.leads.get(lead["id"])
            if number % 10 == 0:
                with pytest.raises(flowcrm.ValidationError):
                    me.leads.create(name="")

    call(calls // 4)
    before = resident()
    call(calls)
    grown = resident() - before
    note(url.partition(":")[0], calls, before, grown)
    assert grown < 8 * 1024 * 1024
