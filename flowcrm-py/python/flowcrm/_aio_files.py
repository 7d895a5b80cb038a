"""Files that an event loop never waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from threading import Lock
from types import TracebackType
from typing import BinaryIO, Concatenate, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InThreads:
    """A file that is opened, used and closed in threads; ``async with`` does the first and the last.

    When it is left by an exception, nobody waits for a thread that still uses the file: that one closes it.
    """

    def __init__(self, opening: AbstractContextManager[BinaryIO]) -> None:
        self._opening = opening
        self._closing = ExitStack()
        self._file: BinaryIO | None = None
        self._in_use = Lock()
        self._is_given_up = False

    async def use(self, work: Callable[Concatenate[BinaryIO, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does something with the file."""
        return await asyncio.to_thread(self._use, lambda file: work(file, *args, **kwargs))

    async def __aenter__(self) -> InThreads:
        try:
            await self.use(lambda _: None)
        except BaseException:
            self._give_up()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                await self.use(lambda _: self._closing.close())
        finally:
            self._give_up()

    def _use(self, work: Callable[[BinaryIO], T]) -> T:
        try:
            with self._in_use:
                if self._file is None:
                    self._file = self._closing.enter_context(self._opening)
                return work(self._file)
        finally:
            self._close_if_given_up()

    def _give_up(self) -> None:
        self._is_given_up = True
        self._close_if_given_up()

    def _close_if_given_up(self) -> None:
        """Closes it, unless a thread uses it, which does this afterwards."""
        if self._is_given_up and self._in_use.acquire(blocking=False):
            with suppress(OSError):
                self._closing.close()
            self._in_use.release()


__all__ = ["InThreads"]
