"""A bound on the bytes that are held at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Room"]


class Room:
    """Room for some bytes, on one event loop; who comes first is served first.

    Parameters
    ----------
    most : int
        Bytes in all. What is larger than that gets in alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def of(self, length: int) -> AsyncIterator[None]:
        """Hold room for ``length`` bytes."""
        await self._enter(length)
        try:
            yield
        finally:
            self._held -= length
            self._admit()

    async def _enter(self, length: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((length, turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._held -= length
            self._admit()
            raise

    def _admit(self) -> None:
        while self._waiting:
            length, turn = self._waiting[0]
            if turn.cancelled():
                self._waiting.popleft()
                continue
            if self._held and self._held + length > self._most:
                return
            self._waiting.popleft()
            self._held += length
            turn.set_result(None)
