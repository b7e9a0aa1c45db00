"""The embedded PostgreSQL: made on first use, shared by all commands of one `var` folder, stopped by the last of them.

Needs no Django. Each program that uses the server holds a shared lock, which the system drops even after a kill -9.
"""

import fcntl
import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from payorcrm.core.database_home import MAJOR_VERSION, DatabaseUnavailable, Home, prepare_home, subprocess_identity

ROLE = "payorcrm"
DATABASE = "payorcrm"
PORT = 5432

SMALL_AND_DURABLE: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "io_method": "sync",
    "jit": "off",
    # Parallel plans want more shared memory than a container usually grants, and gain nothing on two cores.
    "max_parallel_workers_per_gather": "0",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only: after a power failure the data are gone.
FAST_AND_FORGETFUL: Mapping[str, str] = {
    **SMALL_AND_DURABLE,
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    # It would count a table in the middle of a test, whose rows nobody else sees, and have plans made for an empty one:
    # at times a test with rows by the thousand took minutes.
    "autovacuum": "off",
}


class EmbeddedServer:
    """A hold on a running server. `stop` lets go of it, and stops the server when nobody else holds it."""

    def __init__(self, home: Home, users: int, *, started_here: bool) -> None:
        self.started_here = started_here
        self.home = home
        self._users: int | None = users

    @property
    def url(self) -> str:
        """The address of the database, for `DATABASE_URL`."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of another database of this server."""
        host = quote(str(self.home.socket), safe="")
        return f"postgresql://{ROLE}@/{database}?host={host}&port={PORT}"

    def stop(self) -> None:
        """Let go of the server, and stop it if this was the last hold. A second call changes nothing."""
        if self._users is None:
            return
        with _door(self.home):
            if _is_last_user(self._users):
                _stop(self.home)
            os.close(self._users)
            self._users = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()


def ensure_database(var: Path, *, settings: Mapping[str, str] = SMALL_AND_DURABLE) -> EmbeddedServer:
    """Return a hold on the server of the folder `var`, made and started where needed. Raises DatabaseUnavailable.

    `settings` count only when the server is started here.
    """
    home = prepare_home(var)
    with _door(home):
        users = os.open(home.folder / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            started_here = _ensure_running(home, settings)
        except BaseException:
            os.close(users)
            raise
        fcntl.flock(users, fcntl.LOCK_SH)
    return EmbeddedServer(home, users, started_here=started_here)


@contextmanager
def _door(home: Home) -> Iterator[None]:
    """Let one program at a time make, start or stop the server."""
    door = os.open(home.folder / "door.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(door, fcntl.LOCK_EX)
        yield
    finally:
        os.close(door)


def _is_last_user(users: int) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _ensure_running(home: Home, settings: Mapping[str, str]) -> bool:
    if _is_answering(home):
        return False
    _make_cluster(home, settings)
    _check_version(home)
    _forget_dead_server(home)
    _start(home, settings)
    _make_database(home)
    return True


def _is_answering(home: Home, *, patience: float = 60) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        asked = _run(home, "pg_isready", "--quiet", "--host", str(home.socket), "--port", str(PORT), "--timeout", "5")
        # 1 means that it is starting up, recovering or shutting down; 2 that nobody listens.
        if asked.returncode != 1:
            return asked.returncode == 0
        time.sleep(0.2)
    raise DatabaseUnavailable(f"The embedded PostgreSQL is still recovering. See {home.log} and try again in a moment.")


def _make_cluster(home: Home, settings: Mapping[str, str]) -> None:
    if home.data.exists():
        return
    # Made aside and renamed at the end, so that an interrupted first start leaves no half of a cluster.
    draft = home.folder / "new" / "data"
    shutil.rmtree(draft.parent, ignore_errors=True)
    draft.parent.mkdir(mode=0o700)
    if home.account:
        os.chown(draft.parent, home.account.uid, home.account.gid)
    options = ["--username", ROLE, "--auth", "trust", "--encoding", "UTF8", "--no-instructions", "--locale", "C"]
    options += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
    options += ["--no-sync"] if settings.get("fsync") == "off" else []
    made = _run(home, "initdb", *options, "--pgdata", str(draft))
    if made.returncode:
        raise DatabaseUnavailable(f"The embedded PostgreSQL could not be made: {made.stderr.strip() or made.stdout}")
    draft.rename(home.data)
    draft.parent.rmdir()


def _check_version(home: Home) -> None:
    version = (home.data / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise DatabaseUnavailable(
            f"{home.data} was made by PostgreSQL {version}, and this is {MAJOR_VERSION}. "
            "Move that folder away, or set DATABASE_URL."
        )


def _forget_dead_server(home: Home) -> None:
    """Remove a killed server's note when its number is another program's by now; PostgreSQL would not start."""
    note = home.data / "postmaster.pid"
    try:
        number = int(note.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if not is_live_postgres(number):
        note.unlink(missing_ok=True)


def is_live_postgres(number: int) -> bool:
    """Say whether a program of this number runs and is a PostgreSQL, by Linux's /proc (see proc(5)) or by ps."""
    if Path("/proc/self/stat").exists():
        try:
            name, rest = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)
        except (FileNotFoundError, ProcessLookupError):
            return False
        return "postgres" in name and rest.split()[0] != "Z"
    asked = subprocess.run(["ps", "-o", "stat=,comm=", "-p", str(number)], capture_output=True, text=True, check=False)
    return "postgres" in asked.stdout and not asked.stdout.startswith("Z")


def _start(home: Home, settings: Mapping[str, str]) -> None:
    chosen = {**settings, "unix_socket_directories": str(home.socket), "port": str(PORT)}
    options = shlex.join(word for name, value in chosen.items() for word in ("-c", f"{name}={value}"))
    arguments = ["--pgdata", str(home.data), "--log", str(home.log), "--wait", "--timeout", "60", "--options", options]
    # The children of a killed server hold its memory for a moment, in which a new one refuses to start.
    for pause in (0.5, 1, 2, 4, 0):
        if _run(home, "pg_ctl", "start", *arguments).returncode == 0:
            return
        time.sleep(pause)
    raise DatabaseUnavailable(f"The embedded PostgreSQL does not start. {home.log} ends with:\n{_last_words(home)}")


def _stop(home: Home) -> None:
    arguments = ["--pgdata", str(home.data), "--wait", "--timeout", "20"]
    if _run(home, "pg_ctl", "stop", "--mode", "fast", *arguments).returncode:
        _run(home, "pg_ctl", "stop", "--mode", "immediate", *arguments)


def _make_database(home: Home) -> None:
    address = make_conninfo(host=str(home.socket), port=PORT, user=ROLE, dbname="postgres")
    with psycopg.connect(address, autocommit=True) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
        if not found:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _run(home: Home, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A session of its own keeps the terminal's Ctrl-C away: the server is stopped by us, after those who use it.
    return subprocess.run(
        [str(home.programs / program), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        **subprocess_identity(home.account),
    )


def _last_words(home: Home) -> str:
    try:
        return "\n".join(home.log.read_text(errors="replace").splitlines()[-8:])
    except OSError:
        return "(there is no log)"
