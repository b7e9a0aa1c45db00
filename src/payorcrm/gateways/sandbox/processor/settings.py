"""What the processor reads from its environment, once, at its start."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


class SettingMissing(Exception):
    """The processor cannot start without this variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The processor's settings; `README.md` describes the variables."""

    database_url: str
    admin_key: str
    public_url: str
    settles_after: timedelta
    hangs_for: float
    behind_pgbouncer: bool


def read_settings(env: Mapping[str, str]) -> Settings:
    """Read and check the environment. Raises SettingMissing."""
    return Settings(
        database_url=_required(env, "DATABASE_URL"),
        admin_key=_required(env, "SANDBOX_ADMIN_KEY"),
        public_url=env.get("SANDBOX_PUBLIC_URL", "http://localhost:8010").rstrip("/"),
        settles_after=timedelta(seconds=float(env.get("SANDBOX_SETTLE_SECONDS", "20"))),
        hangs_for=float(env.get("SANDBOX_HANG_SECONDS", "25")),
        behind_pgbouncer=env.get("DATABASE_BEHIND_PGBOUNCER", "").lower() in {"1", "true", "yes", "on"},
    )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingMissing(f"The sandbox processor needs {name}.")
    return value
