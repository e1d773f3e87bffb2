"""Transactions of one process on SQLite, one after another.

SQLite refuses one of two transactions that have both read and now want to write, however long it
may wait, and the service answers 500. The threads of a service are the only ones who use its
database, so they take turns, for as long as they hold a connection.
"""

import importlib
import sqlite3
import threading
from typing import Any

LIMIT = 5.0
"""Seconds that a thread waits for its turn before it tries without, as SQLite itself would wait"""


class Turns:
    """Listens to SQLAlchemy's pools: https://docs.sqlalchemy.org/en/20/core/events.html"""

    def __init__(self, limit: float = LIMIT) -> None:
        self._turn = threading.RLock()
        self._limit = limit

    def taken(self, connection: object, record: Any, _proxy: object) -> None:
        """A thread gets a connection."""
        if isinstance(connection, sqlite3.Connection) and self._turn.acquire(timeout=self._limit):
            record.info[self] = threading.get_ident()

    def given_back(self, _connection: object, record: Any) -> None:
        """A thread needs its connection no longer."""
        if record.info.pop(self, None) == threading.get_ident():
            self._turn.release()


def take() -> None:
    """Let the threads of this process take turns from now on."""
    turns = Turns()
    event = importlib.import_module("sqlalchemy.event")
    pool = importlib.import_module("sqlalchemy.pool")
    event.listen(pool.Pool, "checkout", turns.taken)
    event.listen(pool.Pool, "checkin", turns.given_back)
