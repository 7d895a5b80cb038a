"""The same for asyncio: every call is awaited, lists are asynchronous iterators.

    async with await flowcrm.aio.open("sqlite:crm.db") as crm:
        me = await crm.sign_in(email="ada@example.com", password="correct horse")
        async for lead in me.leads.list(status="NEW"):
            print(lead["name"])
"""

from __future__ import annotations

from types import TracebackType
from uuid import UUID

from . import _native
from ._aio_base import Listing, finish
from .aio_groups import Caller


class Worker:
    """What works in the background; ``async with`` stops it."""

    def __init__(self, native: _native.Worker) -> None:
        self._native = native

    async def stop(self) -> None:
        """Ends it; what it was doing is taken up by the next worker."""
        if (job := self._native.stop()) is not None:
            await finish(job)

    async def __aenter__(self) -> Worker:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


class Crm:
    """A CRM; ``async with`` closes it. See `flowcrm.Crm`."""

    def __init__(self, native: _native.Crm) -> None:
        self._native = native

    async def register(self, *, name: str, email: str, password: str, org_name: str) -> Caller:
        """Makes an organization with its first OWNER, and signs them in."""
        fields = {"name": name, "email": email, "password": password, "org_name": org_name}
        return Caller(await finish(self._native.register(fields)))

    async def sign_in(self, *, email: str, password: str, code: str | None = None) -> Caller:
        """Signs a user in."""
        fields = {"email": email, "password": password, "code": code}
        return Caller(await finish(self._native.sign_in(fields)))

    async def as_user(self, id_or_email: UUID | str) -> Caller:
        """Acts as a user without a password: for scripts that are trusted with every organization."""
        return Caller(await finish(self._native.as_user(id_or_email)))

    async def worker(self) -> Worker:
        """Begins to work in the background, as a server does."""
        return Worker(await finish(self._native.worker()))

    async def close(self) -> None:
        """Ends all connections; see `flowcrm.Crm.close`."""
        if (job := self._native.close()) is not None:
            await finish(job)

    async def __aenter__(self) -> Crm:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


async def open(url: str, *, secret: str | None = None, migrate: bool = False) -> Crm:
    """Opens the CRM in the database at ``url``; see `flowcrm.open`."""
    return Crm(await finish(_native.open(url, secret=secret, migrate=migrate)))


__all__ = ["Caller", "Crm", "Listing", "Worker", "open"]
