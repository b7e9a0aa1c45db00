"""Migration operations for what Django cannot say: composite foreign keys, triggers, and many tables at once."""

from typing import Any

from django.db.migrations import RunSQL
from django.db.migrations.operations import CreateModel
from django.db.migrations.operations.base import Operation


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


class CreateModels(Operation):
    """Several `CreateModel`, after each of which Django would work out all models of all packages anew."""

    def __init__(self, *each: CreateModel) -> None:
        self.each = each

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Add the models to the state, which works out all of its models once, when it is asked for one."""
        state.__dict__.pop("apps", None)
        for create in self.each:
            create.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Create the tables."""
        for create in self.each:
            create.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Drop the tables, the last one first."""
        for create in reversed(self.each):
            create.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """Return what `django migrate --plan` says."""
        return f"Create models {', '.join(create.name for create in self.each)}"
