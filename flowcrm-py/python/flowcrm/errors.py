"""What goes wrong, as exceptions; all are `FlowCrmError`s."""

from __future__ import annotations

from typing import TypedDict


class BadField(TypedDict):
    """What is wrong with one field."""

    field: str
    """The field's name; of a nested field with dots: `options.mapping.name`."""
    message: str
    """A sentence without its subject: "must be at most 200 characters"."""


class FlowCrmError(Exception):
    """Anything that goes wrong in FlowCRM."""

    code: str
    """The stable word for what went wrong: `validation_failed`, `not_found`."""
    status: int
    """The HTTP status that the server answers for it."""
    errors: list[BadField]
    """All bad fields; empty when the error is not about fields."""

    def __init__(
        self, message: str, code: str = "internal_error", status: int = 500, errors: list[BadField] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.errors = errors or []

    def __reduce__(self) -> tuple[type[FlowCrmError], tuple[str, str, int, list[BadField]]]:
        return type(self), (str(self), self.code, self.status, self.errors)


class ValidationError(FlowCrmError):
    """Some fields are missing, of the wrong type, out of range or unknown; `errors` names all of them."""


class AuthenticationError(FlowCrmError):
    """Sign-in failed, or the session has ended."""


class PermissionDenied(FlowCrmError):
    """The user may see it, but may not do this."""


class NotFound(FlowCrmError):
    """There is no such record, or none that the user may see."""


class Conflict(FlowCrmError):
    """It contradicts the present state: the version has changed, or the key was used for something else."""


class Unavailable(FlowCrmError):
    """The database is away, or the CRM has been closed; the same call may succeed later."""


__all__ = [
    "AuthenticationError",
    "BadField",
    "Conflict",
    "FlowCrmError",
    "NotFound",
    "PermissionDenied",
    "Unavailable",
    "ValidationError",
]
