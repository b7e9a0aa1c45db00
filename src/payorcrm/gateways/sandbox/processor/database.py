"""The processor's own schema `sandbox`: its pool of connections, and its tables made at the start."""

from pathlib import Path
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from payorcrm.gateways.sandbox.processor.settings import Settings

Row = dict[str, Any]
Connection = AsyncConnection[Row]
Pool = AsyncConnectionPool[Connection]

_STEPS = Path(__file__).parent / "schema"
_LOCK = 7_262_636_801


def make_pool(settings: Settings) -> Pool:
    """Return a pool, not yet open, of connections that commit each statement by itself."""
    options: dict[str, Any] = {"autocommit": True, "row_factory": dict_row, "application_name": "sandbox"}
    if settings.behind_pgbouncer:
        options["prepare_threshold"] = None
    return AsyncConnectionPool(
        settings.database_url, connection_class=AsyncConnection[Row], kwargs=options, min_size=1, max_size=8, open=False
    )


async def create_tables(pool: Pool) -> None:
    """Apply the steps of `schema/` that this database has not seen, one process at a time."""
    async with pool.connection() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        applied = await _applied_steps(connection)
        for step in sorted(_STEPS.glob("*.sql")):
            if step.stem not in applied:
                await connection.execute(step.read_bytes())
                await connection.execute("INSERT INTO sandbox.steps (name) VALUES (%s)", (step.stem,))


async def _applied_steps(connection: Connection) -> set[str]:
    await connection.execute("CREATE SCHEMA IF NOT EXISTS sandbox")
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS sandbox.steps (name text PRIMARY KEY, applied_at timestamptz DEFAULT now())"
    )
    rows = await (await connection.execute("SELECT name FROM sandbox.steps")).fetchall()
    return {row["name"] for row in rows}
