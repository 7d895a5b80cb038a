"""What asyncio's groups are made of: calls to await, lists that page by themselves, files."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack, cast
from uuid import UUID

from . import _files
from ._aio_files import InThreads
from ._base import Handle
from ._columns import COLUMNS
from ._native import ArrowStream, Caller, Chunks, Job
from .errors import FlowCrmError

if TYPE_CHECKING:
    from .types import Import, ImportOptions

T = TypeVar("T")


async def finish(job: Job[T]) -> T:
    """Awaits a job. When nobody awaits it any more, it is cancelled."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle() -> None:
        if not done.done():
            done.set_result(None)

    def told() -> None:
        # A loop that was closed has nobody left to tell.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle)

    job.start(told)
    try:
        await done
    except BaseException:
        job.cancel()
        raise
    return job.result()


class Listing(AsyncIterator[T], Generic[T]):
    """A list of records: an asynchronous iterator that fetches its pages as it goes."""

    def __init__(self, caller: Caller, operation: str, query: Mapping[str, Any], id: UUID | str | None) -> None:
        self._caller = caller
        self._operation = operation
        self._query = dict(query)
        self._id = id
        self._page: list[T] = []
        self._is_last = False
        self._total: int | None = None

    def __aiter__(self) -> Listing[T]:
        return self

    async def __anext__(self) -> T:
        while not self._page:
            if self._is_last:
                raise StopAsyncIteration
            await self._fetch()
        return self._page.pop()

    async def total(self) -> int | None:
        """How many records there are in all; None unless it was asked with ``count=True``."""
        if self._total is None and self._query.get("count") and not self._is_last:
            await self._fetch()
        return self._total

    async def _fetch(self) -> None:
        records, after, total = await finish(self._caller.call(self._operation, self._query, id=self._id))
        self._is_last = after is None
        if total is not None:
            self._total = total
        # What is counted once need not be counted for every page.
        self._query = {**self._query, "cursor": after, "count": False} if after else self._query
        # The next record is taken from the end.
        self._page = [*reversed(cast("list[T]", records)), *self._page]


class Group:
    """A group of operations of one user."""

    __slots__ = ("_native",)

    def __init__(self, native: Caller) -> None:
        self._native = native

    async def _call(
        self,
        operation: str,
        fields: Mapping[str, Any] | None,
        id: UUID | str | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        job = self._native.call(operation, fields, id=id, version=version, idempotency_key=idempotency_key)
        return await finish(job)

    def _list(self, operation: str, fields: Mapping[str, Any], id: UUID | str | None = None) -> Listing[Any]:
        return Listing(self._native, operation, fields, id)


class Importing(Group):
    """What can be imported."""

    __slots__ = ()
    _kind: str

    async def import_csv(
        self,
        file: _files.Readable,
        *,
        progress: Callable[[Import], object] | None = None,
        **options: Unpack[ImportOptions],
    ) -> Import:
        """Imports a CSV file, and returns when it is done; see `flowcrm.groups.Leads.import_csv`.

        What ``progress`` returns is awaited if it can be.
        """
        async with InThreads(_files.reading(file), is_ours=_files.is_path(file)) as opened:
            upload = await finish(self._native.begin_import(self._kind, _files.name_of(file), options))
            try:
                while piece := await opened.use(_files.piece_of):
                    await finish(upload.push(piece))
                run = await finish(upload.run())
            except GeneratorExit:
                # Nobody awaits any more. Neither a fork nor an interpreter that exits starts anything.
                with suppress(FlowCrmError):
                    upload.abandon().start(lambda: None)
                raise
            except BaseException:
                with suppress(FlowCrmError):
                    await finish(upload.abandon())
                raise
        done: Import = await finish(run.next())
        now: Import | None = done
        while now is not None:
            done = now
            if progress is not None:
                told = progress(done)
                if inspect.isawaitable(told):
                    await told
            now = await finish(run.next())
        if done["state"] == "FAILED":
            raise _files.failed(done["error"])
        return done


class Tabular(Group):
    """What can be taken out as a table."""

    __slots__ = ()
    _kind: str

    async def _export(self, file: _files.Writable, filters: Mapping[str, Any]) -> int:
        return await _write(await finish(self._native.export(self._kind, filters)), file)

    def _arrow(self, query: Mapping[str, Any]) -> ArrowStream:
        return self._native.arrow(self._kind, query, COLUMNS[self._kind])


class Rejecting(Group):
    """What has rejected rows."""

    __slots__ = ()
    _kind: str

    async def rejected_file(self, id: UUID | str, file: _files.Writable) -> int:
        """Writes the rejected rows of an import as a CSV file; returns how many bytes were written."""
        return await _write(await finish(self._native.rejected_file(id)), file)


async def _write(chunks: Chunks, file: _files.Writable) -> int:
    written = 0
    async with InThreads(_files.writing(file), is_ours=_files.is_path(file)) as opened:
        while (chunk := await finish(chunks.next())) is not None:
            await opened.use(_files.put, chunk)
            written += len(chunk)
    return written


__all__ = ["Group", "Handle", "Importing", "Listing", "Rejecting", "Tabular", "finish"]
