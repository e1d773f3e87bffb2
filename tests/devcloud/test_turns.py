"""Transactions on SQLite, one after another."""

import sqlite3
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

from imagecycle.devcloud.runners.turns import Turns


@dataclass
class Connection:
    """What SQLAlchemy's pool tells its listeners about."""

    connection: object = field(default_factory=lambda: sqlite3.connect(":memory:"))
    record: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(info={}))


def take(turns: Turns, taken: Connection) -> bool:
    """Whether a thread of its own gets its turn; it gives it back."""
    had = []

    def thread() -> None:
        turns.taken(taken.connection, taken.record, None)
        had.append(bool(taken.record.info))
        turns.given_back(taken.connection, taken.record)

    started = threading.Thread(target=thread)
    started.start()
    started.join(10)
    return had == [True]


def test_a_thread_has_its_turn_until_it_gives_its_last_connection_back() -> None:
    turns = Turns(limit=0.05)
    outer, inner = Connection(), Connection()
    for one in (outer, inner):  # a session within another
        turns.taken(one.connection, one.record, None)
    assert not take(turns, Connection())
    turns.given_back(inner.connection, inner.record)
    assert not take(turns, Connection())
    turns.given_back(outer.connection, outer.record)
    assert take(turns, Connection())


def test_who_has_waited_long_goes_on_without_and_disturbs_nobody() -> None:
    turns = Turns(limit=0.05)
    held = Connection()
    turns.taken(held.connection, held.record, None)
    assert not take(turns, Connection())
    assert not take(turns, Connection())
    turns.given_back(held.connection, held.record)
    turns.given_back(held.connection, held.record)
    assert take(turns, Connection())


def test_other_databases_need_no_turns() -> None:
    turns = Turns(limit=0.05)
    for _ in range(2):
        assert not take(turns, Connection(connection=object()))
    held = Connection()
    turns.taken(held.connection, held.record, None)
    assert held.record.info
