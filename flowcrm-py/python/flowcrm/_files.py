"""Files that go in and out: paths, open files, or their bytes."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO, TypeAlias

from . import errors

Readable: TypeAlias = "str | os.PathLike[str] | BinaryIO | bytes | bytearray | memoryview"
Writable: TypeAlias = "str | os.PathLike[str] | BinaryIO"

# So much is read at once.
PIECE = 256 * 1024


def name_of(file: Readable) -> str:
    """How a file is called in the list of imports; what is no Unicode in its name becomes a question mark."""
    path = file if isinstance(file, (str, os.PathLike)) else getattr(file, "name", None)
    if not isinstance(path, (str, os.PathLike)):
        return "import.csv"
    return PurePath(os.fsdecode(path)).name.encode(errors="replace").decode()


def is_path(file: Readable | Writable) -> bool:
    """Whether a file is opened here, by its path."""
    return isinstance(file, (str, os.PathLike))


@contextmanager
def reading(file: Readable) -> Iterator[BinaryIO]:
    """The file, open; closed afterwards unless it was open already."""
    if isinstance(file, (bytes, bytearray, memoryview)):
        yield io.BytesIO(file)
    elif isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            yield opened
    elif hasattr(file, "read"):
        yield file
    else:
        raise _invalid("must be a path, a file opened for bytes, or bytes")


@contextmanager
def writing(file: Writable) -> Iterator[BinaryIO]:
    """The file, open for writing; closed afterwards unless it was open already."""
    if isinstance(file, (str, os.PathLike)):
        with open(file, "wb") as opened:
            yield opened
    elif isinstance(file, io.TextIOBase):
        raise _invalid("must be opened for bytes: open(..., 'wb')")
    elif hasattr(file, "write"):
        yield file
    else:
        raise _invalid("must be a path, or a file opened for bytes")


def piece_of(opened: BinaryIO) -> bytes:
    """The next piece of a file; nothing at its end."""
    piece = opened.read(PIECE)
    if not isinstance(piece, bytes):
        raise _invalid("must be opened for bytes: open(..., 'rb')")
    return piece


def put(opened: BinaryIO, chunk: bytes) -> None:
    """Writes the next piece of a file."""
    rest = memoryview(chunk)
    while rest:
        written = opened.write(rest)
        if isinstance(opened, io.RawIOBase) and written is None:
            raise BlockingIOError("the file takes no more now")
        # Some that take all say nothing.
        rest = rest[len(rest) if written is None else written :]


def _invalid(message: str) -> errors.ValidationError:
    return errors.ValidationError(
        f"file {message}", "validation_failed", 400, [{"field": "file", "message": message}]
    )


def failed(message: str | None) -> errors.ValidationError:
    """Why an import came to nothing."""
    return errors.ValidationError(message or "The import failed.", "validation_failed", 400)
