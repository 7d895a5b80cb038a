"""Files that an event loop never waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from contextvars import copy_context
from threading import Lock, Thread
from types import TracebackType
from typing import BinaryIO, Concatenate, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Awaits work that may stall. Its thread is its own, and holds neither the loop's others nor the process."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(cast("T", result))
        else:
            done.set_exception(error)

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work()
        except StopIteration as stopped:
            # No future takes one.
            error = RuntimeError(repr(stopped))
        except BaseException as raised:
            error = raised
        # A loop that was closed has nobody left to tell.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    Thread(target=copy_context().run, args=(run,), name="flowcrm-file", daemon=True).start()
    return await done


class InThreads:
    """A file that is opened, used and closed in threads; ``async with`` does the first and the last.

    When it is left by a cancellation, nobody waits for a thread that still uses the file: that one closes it. A file
    that was open already is used in asyncio's threads, which a program waits for when it ends: the interpreter must
    not end while ``sys.stdin`` is read.
    """

    def __init__(self, opening: AbstractContextManager[BinaryIO], *, is_ours: bool) -> None:
        self._opening = opening
        self._is_ours = is_ours
        self._closing = ExitStack()
        self._file: BinaryIO | None = None
        self._in_use = Lock()
        self._is_given_up = False

    async def use(self, work: Callable[Concatenate[BinaryIO, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Does something with the file."""
        def used() -> T:
            return self._use(lambda file: work(file, *args, **kwargs))

        return await (in_thread(used) if self._is_ours else asyncio.to_thread(used))

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
        if kind is not None and not issubclass(kind, Exception):
            self._give_up()
            return
        try:
            with suppress(OSError) if kind else nullcontext():
                await self.use(lambda _: self._closing.close())
        except BaseException:
            self._give_up()
            raise

    def _use(self, work: Callable[[BinaryIO], T]) -> T:
        try:
            with self._in_use:
                if self._is_given_up:
                    raise ValueError("the file was given up")
                if self._file is None:
                    self._file = self._closing.enter_context(self._opening)
                return work(self._file)
        finally:
            self._close_if_given_up()

    def _give_up(self) -> None:
        self._is_given_up = True
        try:
            # Closing writes what is left, and may wait for that.
            Thread(target=self._close_if_given_up, name="flowcrm-file", daemon=True).start()
        except RuntimeError:
            # An interpreter that exits starts none.
            self._close_if_given_up()

    def _close_if_given_up(self) -> None:
        """Closes it, unless a thread uses it, which does this afterwards."""
        if self._is_given_up and self._in_use.acquire(blocking=False):
            with suppress(OSError):
                self._closing.close()
            self._in_use.release()


__all__ = ["InThreads"]
