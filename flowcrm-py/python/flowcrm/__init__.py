"""The CRM that you import.

>>> import flowcrm
>>> with flowcrm.open("sqlite::memory:") as crm:
...     me = crm.register(name="Ada", email="ada@example.com", password="correct horse", org_name="Engines")
...     me.leads.create(name="Charles", value=1250)["value"]
Decimal('1250')
"""

from __future__ import annotations

import atexit
from types import TracebackType
from uuid import UUID

from . import _native, errors, types
from ._base import Listing
from .groups import Caller
from .errors import (
    AuthenticationError,
    Conflict,
    FlowCrmError,
    NotFound,
    PermissionDenied,
    Unavailable,
    ValidationError,
)

# Threads of the native half may not call Python while it is taken down.
atexit.register(_native.close_gate)


class Worker:
    """What works in the background: imports that others have begun, undoing them, cleaning up. ``with`` stops it."""

    def __init__(self, native: _native.Worker) -> None:
        self._native = native

    def stop(self) -> None:
        """Ends it; what it was doing is taken up by the next worker."""
        if (job := self._native.stop()) is not None:
            job.wait()

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Crm:
    """A CRM. Threads may share it, and the users that it gives; ``with`` closes it."""

    def __init__(self, native: _native.Crm) -> None:
        self._native = native

    def register(self, *, name: str, email: str, password: str, org_name: str) -> Caller:
        """Makes an organization with its first OWNER, and signs them in.

        Raises `ValidationError`, also when the email is taken.
        """
        fields = {"name": name, "email": email, "password": password, "org_name": org_name}
        return Caller(self._native.register(fields).wait())

    def sign_in(self, *, email: str, password: str, code: str | None = None) -> Caller:
        """Signs a user in; ``code`` is one of their authenticator, for users with two-factor sign-in.

        Raises `AuthenticationError`.
        """
        fields = {"email": email, "password": password, "code": code}
        return Caller(self._native.sign_in(fields).wait())

    def as_user(self, id_or_email: UUID | str) -> Caller:
        """Acts as a user without a password: for scripts that are trusted with every organization.

        Raises `NotFound`.
        """
        return Caller(self._native.as_user(id_or_email).wait())

    def worker(self) -> Worker:
        """Begins to work in the background, as a server does: `me.imports.undo` needs a worker somewhere."""
        return Worker(self._native.worker().wait())

    def close(self) -> None:
        """Ends all connections; what is called afterwards raises `Unavailable`.

        In a process that was forked off it does nothing: the connections are the parent's.
        """
        if (job := self._native.close()) is not None:
            job.wait()

    def __enter__(self) -> Crm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open(url: str, *, secret: str | None = None, migrate: bool = False) -> Crm:
    """Opens the CRM in the database at ``url``: ``sqlite:crm.db``, ``sqlite::memory:``, ``postgres://...``.

    A SQLite file is made and brought up to date. A Postgres database needs ``secret``, or JWT_SECRET in the
    environment (32 bytes, the same for all who use it), and is brought up to date with ``migrate``.

    Raises `ValidationError` for the URL or the secret, `Unavailable` when the database does not answer, `Conflict`
    when it is not up to date.
    """
    return Crm(_native.open(url, secret=secret, migrate=migrate).wait())


__all__ = [
    "AuthenticationError",
    "Conflict",
    "Crm",
    "FlowCrmError",
    "Listing",
    "NotFound",
    "PermissionDenied",
    "Unavailable",
    "Caller",
    "ValidationError",
    "Worker",
    "errors",
    "open",
    "types",
]
