"""Files that go in and out: paths, open files, or their bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO, TypeAlias

from . import errors

Readable: TypeAlias = "str | os.PathLike[str] | BinaryIO | bytes"
Writable: TypeAlias = "str | os.PathLike[str] | BinaryIO"

# So much is read at once.
PIECE = 256 * 1024


def name_of(file: Readable) -> str:
    """How a file is called in the list of imports."""
    if isinstance(file, bytes):
        return "import.csv"
    path = file if isinstance(file, (str, os.PathLike)) else getattr(file, "name", None)
    return PurePath(path).name if isinstance(path, (str, os.PathLike)) else "import.csv"


@contextmanager
def reading(file: Readable) -> Iterator[BinaryIO]:
    """The file, open; closed afterwards unless it was open already."""
    if isinstance(file, bytes):
        yield io.BytesIO(file)
    elif isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            yield opened
    else:
        yield file


@contextmanager
def writing(file: Writable) -> Iterator[BinaryIO]:
    """The file, open for writing; closed afterwards unless it was open already."""
    if isinstance(file, (str, os.PathLike)):
        with open(file, "wb") as opened:
            yield opened
    else:
        yield file


def piece_of(opened: BinaryIO) -> bytes:
    """The next piece of a file; nothing at its end."""
    piece = opened.read(PIECE)
    if not isinstance(piece, bytes):
        raise errors.ValidationError(
            "file must be opened for bytes: open(..., 'rb')",
            "validation_failed",
            400,
            [{"field": "file", "message": "must be opened for bytes: open(..., 'rb')"}],
        )
    return piece


def failed(message: str | None) -> errors.ValidationError:
    """Why an import came to nothing."""
    return errors.ValidationError(message or "The import failed.", "validation_failed", 400)
