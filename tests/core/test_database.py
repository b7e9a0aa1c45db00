"""The embedded PostgreSQL: made once, shared, stopped by the last, and none the worse for a kill -9."""

import os
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from payorcrm.core.database import FAST_AND_FORGETFUL, EmbeddedServer, ensure_database
from payorcrm.core.database_home import (
    ROOTS_FOLDER,
    DatabaseUnavailable,
    copy_programs,
    prepare_home,
    socket_folder,
)
from tests.factories.database import postmaster_of, wait_until_gone

USE_IT = """
import os, signal, sys
from pathlib import Path
from payorcrm.core.database import FAST_AND_FORGETFUL, ensure_database
server = ensure_database(Path(sys.argv[1]), settings=FAST_AND_FORGETFUL)
print(server.started_here, flush=True)
{ending}
"""


def open_server(var: Path) -> EmbeddedServer:
    return ensure_database(var, settings=FAST_AND_FORGETFUL)


def ask(server: EmbeddedServer, statement: str) -> object:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(statement).fetchone()
    return row[0] if row else None


def is_answering(server: EmbeddedServer) -> bool:
    try:
        psycopg.connect(server.url).close()
    except psycopg.OperationalError:
        return False
    return True


def another_program(var: Path, ending: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", USE_IT.format(ending=ending), str(var)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_first_use_makes_a_database_that_knows_all_letters_and_no_network(var: Path) -> None:
    with open_server(var) as server:
        assert server.started_here
        assert ask(server, "SELECT lower('ÅÉÜ')") == "åéü"
        assert ask(server, "SHOW server_encoding") == "UTF8"
        assert ask(server, "SHOW listen_addresses") == ""


def test_demo_data_are_flushed_to_disk(var: Path) -> None:
    with ensure_database(var) as server:
        assert ask(server, "SELECT concat(current_setting('fsync'), current_setting('synchronous_commit'))") == "onon"


def test_rows_survive_stop_and_start(var: Path) -> None:
    with open_server(var) as first, psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    with open_server(var) as second:
        assert second.started_here
        assert ask(second, "SELECT answer FROM kept") == 42


def test_server_stops_when_the_last_user_lets_go(var: Path) -> None:
    first, second = open_server(var), open_server(var)

    first.stop()
    is_up_for_second = is_answering(second)
    second.stop()

    assert (first.started_here, second.started_here) == (True, False)
    assert is_up_for_second
    assert not is_answering(second)


def test_letting_go_twice_does_not_take_the_server_from_others(var: Path) -> None:
    first, second = open_server(var), open_server(var)

    first.stop()
    first.stop()

    assert is_answering(second)
    second.stop()


def test_another_program_that_ends_does_not_stop_a_server_in_use(var: Path) -> None:
    with open_server(var) as server:
        other = another_program(var, "server.stop()")
        answer, _ = other.communicate(timeout=30)

        assert answer.strip() == "False"
        assert is_answering(server)


def test_server_of_a_killed_program_is_used_again_and_stopped(var: Path) -> None:
    killed = another_program(var, "os.kill(os.getpid(), signal.SIGKILL)")
    answer, _ = killed.communicate(timeout=30)

    server = open_server(var)
    was_running = not server.started_here
    server.stop()

    assert answer.strip() == "True"
    assert was_running
    assert not is_answering(server)


def test_killed_server_recovers_with_all_that_was_committed(var: Path) -> None:
    first = ensure_database(var)
    with psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    number = postmaster_of(first.home.data)
    os.kill(number, signal.SIGKILL)
    wait_until_gone(number)

    with open_server(var) as second:
        assert second.started_here
        assert ask(second, "SELECT answer FROM kept") == 42
    first.stop()


def test_note_of_a_dead_server_with_the_number_of_a_living_program_is_no_obstacle(var: Path) -> None:
    with open_server(var) as first:
        note = first.home.data / "postmaster.pid"
        text = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getppid()), *text[1:]]) + "\n")

    with open_server(var) as second:
        assert second.started_here


def test_four_programs_at_once_share_one_server(var: Path) -> None:
    programs = [another_program(var, "sys.stdin.read(); server.stop()") for _ in range(4)]

    answers = sorted(program.communicate(timeout=60)[0].strip() for program in programs)

    assert answers.count("True") >= 1
    assert set(answers) <= {"True", "False"}
    assert [program.returncode for program in programs] == [0, 0, 0, 0]


def test_half_of_a_first_start_is_made_anew(var: Path) -> None:
    home = prepare_home(var)
    (home.folder / "new" / "data" / "base").mkdir(parents=True)

    with open_server(var) as server:
        assert is_answering(server)


def test_data_of_another_version_are_refused_by_name(var: Path) -> None:
    with open_server(var) as server:
        version = server.home.data / "PG_VERSION"
    version.write_text("15\n")

    with pytest.raises(DatabaseUnavailable, match="made by PostgreSQL 15"):
        open_server(var)


def test_no_folder_above_data_and_programs_changes(var: Path) -> None:
    home = prepare_home(var)
    above = {*var.parents, *home.programs.parents, *ROOTS_FOLDER.parents}
    before = {path: path.stat() for path in above}

    open_server(var).stop()

    after = {path: path.stat() for path in above}
    assert {path: (s.st_mode, s.st_uid, s.st_gid) for path, s in after.items()} == {
        path: (s.st_mode, s.st_uid, s.st_gid) for path, s in before.items()
    }


def test_data_and_socket_are_closed_to_others(var: Path) -> None:
    with open_server(var) as server:
        for folder in (server.home.data, server.home.socket):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_socket_of_a_deep_folder_moves_to_a_short_private_one(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()

    socket = socket_folder(deep, None)

    assert socket.parent == Path(tempfile.gettempdir())
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert socket_folder(deep, None) == socket
    socket.rmdir()


def test_short_folder_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    socket = socket_folder(deep, None)
    socket.chmod(0o755)

    with pytest.raises(DatabaseUnavailable, match="open to others"):
        socket_folder(deep, None)
    socket.rmdir()


def test_copied_programs_run_for_everyone(var: Path, tmp_path: Path) -> None:
    programs = prepare_home(var).programs
    package = programs.parents[1]

    copy_programs(package, tmp_path / "copy")

    copied = tmp_path / "copy" / package.name / programs.parent.name / "bin" / "postgres"
    version = subprocess.run([copied, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("postgres (PostgreSQL) 18")
    assert copied.stat().st_mode & 0o005 == 0o005
    copy_programs(package, tmp_path / "copy")
    assert copied.exists()
