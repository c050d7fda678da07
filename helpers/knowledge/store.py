"""A collection in the database: made, opened, and its errors told in this room's words."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
from pgvector.psycopg import register_vector
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from helpers.knowledge.errors import CollectionUnusable, StoreBusy, StoreFailed, StoreFull
from helpers.knowledge.postgres import database_url

SCHEMA = Path(__file__).with_name("schema.sql")
PREFIX = "kb_"  # of the PostgreSQL schemas that are collections
OPTIONS = {"hnsw.ef_search": "100", "hnsw.iterative_scan": "strict_order", "client_min_messages": "warning"}

Connection = psycopg.Connection[DictRow]


class Store:
    """The collection `name`; one connection to read, which threads may share, and one for each who writes.

    Raises:
        CollectionUnusable: the name is not of the form that PostgreSQL takes without quoting.
    """

    def __init__(self, name: str) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_]{0,50}", name):
            raise CollectionUnusable(f"{name!r} cannot name a collection: use a-z, 0-9 and _, at most 51 characters.")
        self.name = name
        self._reading: Connection | None = None

    def rows(self, query: sql.Composed | LiteralString, values: dict[str, Any] | None = None) -> list[DictRow]:
        """What `query` finds; asked again once when the connection was lost.

        Raises:
            StoreFailed: the database does not answer.
            CollectionUnusable: nothing was ingested into this collection yet.
        """
        with _told(self.name):
            try:
                return self._open().execute(query, values).fetchall()
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self.close()
                return self._open().execute(query, values).fetchall()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection that is alone in writing to this collection.

        Raises:
            StoreBusy: another process writes to it.
            StoreFull: the disk of the database is full.
            StoreFailed: the database does not answer or ended.
        """
        with _told(self.name), self._connect() as connection:
            lock = connection.execute("select pg_try_advisory_lock(hashtext(%s)) as mine", [PREFIX + self.name])
            if not cast(DictRow, lock.fetchone())["mine"]:
                raise StoreBusy(
                    f"Another process is writing to the collection {self.name!r}. Wait until it is done, or end it; "
                    "what it has committed stays."
                )
            try:
                yield connection
            finally:  # the server would release it too, but some time after the connection is closed
                with contextlib.suppress(psycopg.Error):
                    connection.execute("select pg_advisory_unlock_all()")

    def create(self, connection: Connection, model: str, dimensions: int, language: str) -> None:
        """Make the collection's tables, all or none of them."""
        tables = SCHEMA.read_text().format(dimensions=dimensions).encode()
        with connection.transaction():
            connection.execute(sql.SQL("create schema {}").format(sql.Identifier(PREFIX + self.name)))
            connection.execute(tables)
            connection.execute("insert into about (model, language) values (%s, %s::regconfig)", [model, language])

    def exists(self) -> bool:
        """Whether the collection's tables are there."""
        found = self.rows("select to_regclass(%(about)s) as about", {"about": f"{PREFIX}{self.name}.about"})
        return found[0]["about"] is not None

    def drop(self) -> None:
        """Delete the collection."""
        with self.writing() as connection:
            connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(PREFIX + self.name)))

    def close(self) -> None:
        """Give the connection back; the next query opens another."""
        if self._reading:
            self._reading.close()
            self._reading = None

    def _open(self) -> Connection:
        if self._reading is None or self._reading.closed:
            self._reading = self._connect()
        return self._reading

    def _connect(self) -> Connection:
        options = {**OPTIONS, "search_path": f"{PREFIX}{self.name},public"}
        words = " ".join(f"-c {name}={value}" for name, value in options.items())
        connection = psycopg.connect(database_url(), options=words, autocommit=True, row_factory=dict_row)
        if not connection.execute("select from pg_extension where extname = 'vector'").fetchall():
            with contextlib.suppress(psycopg.errors.UniqueViolation):  # another process makes it at the same moment
                connection.execute("create extension if not exists vector with schema public")
        register_vector(connection)
        return connection


def collections() -> list[str]:
    """The names of the collections in the database."""
    with _told(), psycopg.connect(database_url(), autocommit=True) as connection:
        found = connection.execute("select nspname from pg_namespace where nspname like 'kb\\_%' order by 1").fetchall()
    return [name.removeprefix(PREFIX) for (name,) in found]


@contextlib.contextmanager
def _told(name: str = "") -> Iterator[None]:
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise StoreFull(
            f"The disk of the database is full ({line(error)}). What was committed is intact. Free "
            "some space, or move the cache (WORKSHOP_CACHE_DIR), then ingest again: it goes on where it stopped."
        ) from error
    except psycopg.errors.UndefinedObject as error:
        raise CollectionUnusable(
            f"PostgreSQL does not know the language: {line(error)}. It has english, german "
            "and others, and 'simple' for all the rest."
        ) from error
    except psycopg.errors.UndefinedTable as error:
        raise CollectionUnusable(
            f"There is no collection {name!r} yet. Fill it: python -m helpers.knowledge ingest FOLDER "
            f"--collection {name}"
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StoreFailed(
            f"The database ended or does not answer ({line(error)}). What was committed is intact. "
            "Try again; if it fails again, look at the disk: make doctor"
        ) from error
    except psycopg.Error as error:
        raise StoreFailed(f"The database refuses: {line(error)}.") from error


def line(error: psycopg.Error) -> str:
    """What PostgreSQL says, without its hints."""
    return str(error).partition("\n")[0]
