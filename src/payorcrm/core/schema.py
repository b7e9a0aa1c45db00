"""Migration operations for what Django cannot say: composite foreign keys and triggers."""

from django.db.migrations import RunSQL


def composite_foreign_key(
    *, table: str, columns: tuple[str, str], target: str, target_columns: tuple[str, str]
) -> RunSQL:
    """Return an operation that makes two columns reference a unique pair of another table."""
    name = f"{table}_{columns[0]}_{columns[1]}_fk"[:63]
    return RunSQL(
        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({', '.join(columns)}) "
        f"REFERENCES {target} ({', '.join(target_columns)}) DEFERRABLE INITIALLY IMMEDIATE",
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
    )
