"""PostgreSQL and Valkey for a command, run as people run it: as a process that gets signals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from local.services.valkey import binary
from tests.patience import patience
from tests.process_tree import Process, assert_none_lives, descendants, kill_tree, process, wait_for

ROOT = Path(__file__).resolve().parents[3]
TELL = "import json, os, sys; json.dump(dict(os.environ), open(sys.argv[1], 'w'));"
# A command that starts a process out of reach of its group, tells its environment and waits.
TELL_AND_WAIT = (
    "import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True);"
    f"{TELL} open(sys.argv[1] + '.ready', 'w').close(); import time; time.sleep(600)"
)
SQL = """
import os, sys, psycopg2
connection = psycopg2.connect(os.environ[sys.argv[1]])
connection.autocommit = True
with connection.cursor() as cursor:
    for statement in sys.argv[2:]:
        cursor.execute(statement)
    print(cursor.fetchone() if cursor.description else "done")
"""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder closed to other users that the tests of this file share."""
    with tempfile.TemporaryDirectory(prefix="src-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def directory(place: Path) -> Path:
    return place / "services"


def environment(place: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The tests' own services are not the ones looked at here."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_URL", "_KEY", "_KEYS"))}
    return {
        **kept,
        "ENVIRONMENT": "test",
        "PYTHONPATH": str(ROOT),
        **(more or {}),
    }


def sockets(env: Mapping[str, str]) -> Path:
    return Path(env["DATABASE_URL"].partition("?host=")[2])


def supervise(directory: Path, *command: str, options: tuple[str, ...] = ()) -> list[str]:
    supervisor = [sys.executable, "-P", "-m", "local.services", "--volatile"]
    return [*supervisor, "--directory", str(directory), *options, "--", *command]


def run(
    directory: Path,
    *command: str,
    options: tuple[str, ...] = (),
    more: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run the supervisor to its end."""
    return subprocess.run(
        supervise(directory, *command, options=options),
        env=environment(directory.parent, more),
        capture_output=True,
        text=True,
        timeout=patience(300),
        check=False,
    )


def sql(directory: Path, address: str, *statements: str) -> subprocess.CompletedProcess[str]:
    return run(directory, sys.executable, "-c", SQL, address, *statements)


@contextmanager
def supervised(
    directory: Path, tmp_path: Path, name: str = "told"
) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    """A supervisor whose command waits; yields it and the command's environment."""
    told = tmp_path / name
    supervisor = subprocess.Popen(
        supervise(directory, sys.executable, "-c", TELL_AND_WAIT, str(told)),
        env=environment(directory.parent),
        start_new_session=True,
    )
    family: set[Process] = set()
    try:
        wait_for(Path(f"{told}.ready").exists, "the command under the supervisor")
        family = descendants(supervisor.pid)
        yield supervisor, json.loads(told.read_text())
    finally:
        supervisor.terminate()
        try:
            supervisor.wait(patience(120))
            assert_none_lives(family)
        finally:
            kill_tree(supervisor)


@pytest.mark.parametrize("number", ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"])
def test_nothing_outlives_a_supervisor_ended_by_any_signal(
    directory: Path, tmp_path: Path, number: str
) -> None:
    with supervised(directory, tmp_path) as (supervisor, env):
        family = descendants(supervisor.pid)
        commands = " ".join(each.command for each in family)
        for expected in ("postgres", Path(binary()).name, "sleep 600", "checkpointer"):
            assert expected in commands
        supervisor.send_signal(signal.Signals[number])
        supervisor.wait(patience(120))
        assert_none_lives(family)
    assert not sockets(env).exists()
    assert run(directory, "true").returncode == 0


def test_a_killed_supervisor_gives_nothing_the_time_to_end_in_order(directory: Path, tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    wait = f"trap '' TERM INT QUIT; touch {ready}; while :; do sleep 1; done"
    supervisor = subprocess.Popen(
        supervise(directory, "sh", "-c", wait), env=environment(directory.parent), start_new_session=True
    )
    try:
        wait_for(ready.exists, "the command under the supervisor")
        family = descendants(supervisor.pid)
        supervisor.kill()
        assert_none_lives(family, 8)
    finally:
        kill_tree(supervisor)


def test_nothing_outlives_a_killed_working_process(directory: Path, tmp_path: Path) -> None:
    with supervised(directory, tmp_path) as (supervisor, _):
        family = descendants(supervisor.pid)
        (working,) = (each for each in family if "local.services" in each.command and "-c" in each.command)
        os.kill(working.pid, signal.SIGKILL)
        assert supervisor.wait(patience(120)) == 128 + signal.SIGKILL
        assert_none_lives(family)
    assert run(directory, "true").returncode == 0


def test_services_and_command_end_when_both_supervising_processes_are_killed_at_once(
    directory: Path, tmp_path: Path
) -> None:
    with supervised(directory, tmp_path) as (supervisor, env):
        family = descendants(supervisor.pid)
        (stray,) = (each for each in family if each.command.startswith("sleep 600"))
        # The one process that asked not to be ended with its parent is out of reach this time.
        os.killpg(supervisor.pid, signal.SIGKILL)
        supervisor.wait(patience(120))
        try:
            assert_none_lives(family - {stray})
        finally:
            os.kill(stray.pid, signal.SIGKILL)
    assert run(directory, "true").returncode == 0
    assert not sockets(env).exists()


def test_what_was_stored_is_there_after_the_supervisor_was_killed(directory: Path, tmp_path: Path) -> None:
    made = sql(
        directory,
        "DATABASE_OWNER_URL",
        "CREATE TABLE IF NOT EXISTS kept (word text)",
        "INSERT INTO kept VALUES ('kept')",
    )
    assert made.returncode == 0, made.stderr
    with supervised(directory, tmp_path) as (supervisor, _):
        supervisor.kill()
        supervisor.wait(patience(120))
    assert sql(directory, "DATABASE_OWNER_URL", "SELECT word FROM kept").stdout == "('kept',)\n"


def test_a_lock_file_naming_another_living_process_of_the_servers_user_is_no_obstacle(
    directory: Path,
) -> None:
    assert run(directory, "true").returncode == 0
    (cluster,) = directory.glob("postgres-*")
    owner = cluster.stat()
    other = subprocess.Popen(["sleep", "600"], user=owner.st_uid)
    try:
        lock_file = cluster / "postmaster.pid"
        lock_file.write_text(f"{other.pid}\n{cluster}\n1\n5432\n/nowhere\n\n  1 1\n")
        os.chown(lock_file, owner.st_uid, owner.st_gid)
        assert run(directory, "true").returncode == 0
        assert process(other.pid).lives
    finally:
        other.kill()
        other.wait()


def test_a_cluster_half_made_when_its_maker_was_killed_is_made_again(place: Path) -> None:
    directory = place / "half"
    begun = subprocess.Popen(supervise(directory, "true"), env=environment(place))
    wait_for(lambda: [*directory.glob("postgres-*.unfinished/base")], "initdb at work")
    begun.kill()
    begun.wait()
    assert [each for each in directory.glob("postgres-*") if each.suffix != ".unfinished"] == []
    done = run(directory, "true")
    assert (done.returncode, done.stderr) == (0, "")
    assert [each.suffix for each in directory.glob("postgres-*")] == [""]


def test_paths_too_long_for_a_socket_do_not_matter(place: Path) -> None:
    long = place / ("Directory with spaces " + "x" * 80) / ("y" * 80)
    done = run(long / "services", "true")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_second_command_uses_the_services_that_are_up(directory: Path, tmp_path: Path) -> None:
    with supervised(directory, tmp_path) as (_, first):
        told = tmp_path / "second"
        assert run(directory, sys.executable, "-c", TELL, str(told)).returncode == 0
        second = json.loads(told.read_text())
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY"):
            assert second[name] == first[name]


def test_services_stay_up_until_the_last_command_that_uses_them_has_ended(
    directory: Path, tmp_path: Path
) -> None:
    with subprocess.Popen(
        supervise(directory, "sh", "-c", "echo up; read line"),
        env=environment(directory.parent),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as first:
        assert first.stdin is not None
        assert first.stdout is not None
        assert first.stderr is not None
        assert first.stdout.readline() == b"up\n"
        with supervised(directory, tmp_path, "second") as (second, _):
            first.stdin.write(b"\n")
            first.stdin.flush()
            # The first command is done; what it started is still needed.
            assert b"stop when it ends" in first.stderr.readline()
            assert sql(directory, "DATABASE_URL", "SELECT 1").stdout == "(1,)\n"
            assert first.poll() is None
            second.terminate()
            assert first.wait(patience(120)) == 0


def test_a_directory_in_use_is_refused_to_a_command_that_wants_it_alone(
    directory: Path, tmp_path: Path
) -> None:
    with supervised(directory, tmp_path):
        refused = run(directory, "true", options=("--exclusive",))
    assert refused.returncode == 2
    assert refused.stderr.startswith("Process ")
    assert refused.stderr.count("\n") == 1


def test_nothing_is_started_where_addresses_are_given(place: Path, tmp_path: Path) -> None:
    directory = place / "given"
    addresses = {"DATABASE_URL": "postgres://given@/given", "REDIS_URL": "redis://given:1/0"}
    told = tmp_path / "told"
    done = run(directory, sys.executable, "-c", TELL, str(told), more=addresses)
    assert (done.returncode, done.stderr) == (0, "")
    env = json.loads(told.read_text())
    assert {name: env[name] for name in addresses} == addresses
    assert "DATABASE_OWNER_URL" not in env
    assert not (directory / "log").exists()


def test_only_the_service_without_an_address_is_started(place: Path, tmp_path: Path) -> None:
    directory = place / "half-given"
    told = tmp_path / "told"
    given = "postgres://given@/given"
    assert run(directory, sys.executable, "-c", TELL, str(told), more={"DATABASE_URL": given}).returncode == 0
    env = json.loads(told.read_text())
    assert env["DATABASE_URL"] == given
    assert env["REDIS_URL"].startswith("unix://")
    assert [*directory.glob("postgres-*")] == []


@pytest.mark.parametrize(
    ("command", "status"),
    [(("sh", "-c", "exit 7"), 7), (("sh", "-c", "kill -TERM $$"), 143), (("no-such-command",), 127)],
)
def test_the_commands_exit_status_is_the_supervisors(
    directory: Path, command: tuple[str, ...], status: int
) -> None:
    assert run(directory, *command).returncode == status


def test_the_owner_may_make_databases_with_the_extension_and_act_as_the_runtime_role(
    directory: Path,
) -> None:
    done = sql(
        directory,
        "DATABASE_OWNER_URL",
        "DROP DATABASE IF EXISTS another",
        "CREATE DATABASE another",
        "CREATE TABLE ranges (r int4range, w int, EXCLUDE USING gist (w WITH =, r WITH &&))",
        "DROP TABLE ranges",
        "CREATE EXTENSION IF NOT EXISTS btree_gist",
        "SET ROLE src_runtime",
        "SELECT current_user::text, (SELECT rolsuper FROM pg_roles WHERE rolname = session_user)",
    )
    assert (done.stdout, done.stderr) == ("('src_runtime', False)\n", "")


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE mine (word text)", "CREATE DATABASE mine", "SET ROLE src_owner", "CREATE ROLE x"],
)
def test_the_runtime_role_has_no_rights_of_its_own(directory: Path, statement: str) -> None:
    refused = sql(directory, "DATABASE_URL", statement)
    assert refused.returncode == 1
    assert "permission denied" in refused.stderr


def test_keys_are_made_once_and_read_by_nobody_else(place: Path, tmp_path: Path) -> None:
    directory = place / "keys"
    given = {"DATABASE_URL": "x://", "REDIS_URL": "x://"}

    def keys(**more: str) -> dict[str, str]:
        told = tmp_path / "told"
        done = run(directory, sys.executable, "-c", TELL, str(told), more={**given, **more})
        assert done.returncode == 0, done.stderr
        env = json.loads(told.read_text())
        names = ("SECRET_KEY", "LINKING_KEY", "EXTRACT_KEYS", "SECOND_FACTOR_KEYS", "TRIAL_SEAL_KEYS")
        return {name: env[name] for name in names if name in env}

    assert keys(ENVIRONMENT="production") == {}
    made = keys()
    assert len(set(made.values())) == 5
    assert keys() == made
    assert keys(LINKING_KEY="mine") == {**made, "LINKING_KEY": "mine"}
    assert (directory / "keys.json").stat().st_mode & 0o777 == 0o600


def test_a_server_that_does_not_start_says_why(place: Path) -> None:
    directory = place / "broken"
    assert run(directory, "true").returncode == 0
    (cluster,) = directory.glob("postgres-*")
    shutil.rmtree(cluster / "pg_wal")
    failed = run(directory, "true")
    assert failed.returncode == 2
    assert "pg_wal" in failed.stderr
