"""What the groups are made of: calls that wait, lists that page by themselves, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack, cast
from uuid import UUID

from . import _files
from ._columns import COLUMNS
from ._native import ArrowStream, Caller, Chunks
from .errors import FlowCrmError

if TYPE_CHECKING:
    from .types import Import, ImportOptions

T = TypeVar("T")


class Listing(Iterator[T], Generic[T]):
    """A list of records: an iterator that fetches its pages as it goes.

    ``total`` is how many there are in all, for lists that were asked with ``count=True``.
    """

    def __init__(self, caller: Caller, operation: str, query: Mapping[str, Any], id: UUID | str | None) -> None:
        self._caller = caller
        self._operation = operation
        self._query = dict(query)
        self._id = id
        self._page: Iterator[T] = iter(())
        self._is_last = False
        self._total: int | None = None

    def __iter__(self) -> Listing[T]:
        return self

    def __next__(self) -> T:
        for record in self._page:
            return record
        while not self._is_last:
            self._page = iter(self._fetch())
            for record in self._page:
                return record
        raise StopIteration

    @property
    def total(self) -> int | None:
        """How many records there are in all; None unless it was asked with ``count=True``."""
        if self._total is None and self._query.get("count") and not self._is_last:
            self._page = iter([*self._page, *self._fetch()])
        return self._total

    def _fetch(self) -> list[T]:
        records, after, total = self._caller.call(self._operation, self._query, id=self._id).wait()
        self._is_last = after is None
        if total is not None:
            self._total = total
        # What is counted once need not be counted for every page.
        self._query = {**self._query, "cursor": after, "count": False} if after else self._query
        return cast("list[T]", records)


class Group:
    """A group of operations of one user."""

    __slots__ = ("_native",)

    def __init__(self, native: Caller) -> None:
        self._native = native

    def _call(
        self,
        operation: str,
        fields: Mapping[str, Any] | None,
        id: UUID | str | None = None,
        version: int | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        job = self._native.call(operation, fields, id=id, version=version, idempotency_key=idempotency_key)
        return job.wait()

    def _list(self, operation: str, fields: Mapping[str, Any], id: UUID | str | None = None) -> Listing[Any]:
        return Listing(self._native, operation, fields, id)


class Importing(Group):
    """What can be imported."""

    __slots__ = ()
    _kind: str

    def import_csv(
        self,
        file: _files.Readable,
        *,
        progress: Callable[[Import], object] | None = None,
        **options: Unpack[ImportOptions],
    ) -> Import:
        """Imports a CSV file, and returns when it is done.

        ``file`` is a path, a file opened for bytes, or the bytes. ``progress`` is called with the import at once and
        after each change. Rows that are not valid are left out: ``me.imports.rejected(id)`` lists them. When reading
        the file is interrupted, nothing of it is imported; once it is read, the import goes on in the background
        while the process lives and the database answers, also when ``progress`` raises, and waits for a worker or the
        next import otherwise.

        Raises `ValidationError` for options that are not valid, and when the file cannot be imported at all.
        """
        with _files.reading(file) as opened:
            upload = self._native.begin_import(self._kind, _files.name_of(file), options).wait()
            try:
                while piece := _files.piece_of(opened):
                    upload.push(piece).wait()
                run = upload.run().wait()
            except BaseException:
                # Neither a fork nor a closed CRM can delete anything: a worker does.
                with suppress(FlowCrmError):
                    upload.abandon().wait()
                raise
        done: Import = run.next().wait()
        now: Import | None = done
        while now is not None:
            done = now
            if progress is not None:
                progress(done)
            now = run.next().wait()
        if done["state"] == "FAILED":
            raise _files.failed(done["error"])
        return done


class Tabular(Group):
    """What can be taken out as a table."""

    __slots__ = ()
    _kind: str

    def _export(self, file: _files.Writable, filters: Mapping[str, Any]) -> int:
        return _write(self._native.export(self._kind, filters).wait(), file)

    def _arrow(self, query: Mapping[str, Any]) -> ArrowStream:
        return self._native.arrow(self._kind, query, COLUMNS[self._kind])


class Rejecting(Group):
    """What has rejected rows."""

    __slots__ = ()
    _kind: str

    def rejected_file(self, id: UUID | str, file: _files.Writable) -> int:
        """Writes the rejected rows of an import as a CSV file, to be put right and imported again.

        Returns how many bytes were written.
        """
        return _write(self._native.rejected_file(id).wait(), file)


def _write(chunks: Chunks, file: _files.Writable) -> int:
    written = 0
    with _files.writing(file) as opened:
        while (chunk := chunks.next().wait()) is not None:
            _files.put(opened, chunk)
            written += len(chunk)
    return written


class Handle:
    """One user."""

    __slots__ = ("_native",)

    def __init__(self, native: Caller) -> None:
        self._native = native

    @property
    def id(self) -> str:
        """The user's id."""
        return self._native.user_id

    def __repr__(self) -> str:
        return f"<flowcrm.Caller {self.id}>"
