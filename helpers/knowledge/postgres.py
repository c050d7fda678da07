"""Where the PostgreSQL of this site is: the one that is set, or the kit's own."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from helpers.knowledge.errors import StoreFailed
from helpers.settings import SettingsError, settings
from helpers.sites.lease import Lease, Record, ServerFailed


def database_url() -> str:
    """The PostgreSQL of this site: `WORKSHOP_DATABASE_URL`, or on a laptop the kit's own, started if need be.

    Raises:
        StoreFailed: the kit's own does not start.
        SettingsError: the profile is aws and the address is not set, or what is set is no address.
    """
    if given := settings().database():
        return _checked(given)
    try:
        lease = _lease()
        record = lease.server("helpers.sites.postgres", str(lease.folder), answers=_answers)
    except ServerFailed as error:
        raise StoreFailed(
            f"PostgreSQL did not start. Its last words: {error} If the disk is full, free some or set "
            "WORKSHOP_CACHE_DIR; to use another PostgreSQL, set WORKSHOP_DATABASE_URL."
        ) from error
    return record["url"]


def _checked(url: str) -> str:
    """`url`, unless PostgreSQL would misread it: its errors quote what it misread, which may be the password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        parts = {"host": "@"}
    if any("@" in str(parts.get(name)) for name in ("host", "port", "dbname")):
        raise SettingsError(
            "WORKSHOP_DATABASE_URL is no address of a PostgreSQL. It looks like postgresql://user:password@host/name, "
            "with special characters of the password percent-encoded, @ as %40."
        )
    return url


def stop() -> bool:
    """End the kit's own PostgreSQL; False if none runs."""
    return _lease().stop(_answers)


def _answers(record: Record) -> bool:
    try:
        psycopg.connect(record["url"], connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _lease() -> Lease:
    return Lease(settings().cache_dir / "postgres")
