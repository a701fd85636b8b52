"""A PostgreSQL server on loopback, for tests and benchmarks: started, stopped, thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

__all__ = ["Server", "find_programs", "free_port"]

_USER = "nas"


def find_programs() -> Path | None:
    """The folder of the newest ``initdb`` and ``pg_ctl``; ``None`` where there is none."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(folders, key=lambda path: float(path.parts[-3]), reverse=True)
    return newest[0].parent if newest else None


class Server:
    """A server in a temporary folder, with the superuser ``nas``.

    PostgreSQL does not run as root: there, it runs as the user ``postgres`` or ``nobody``.

    Args:
        programs: from ``find_programs``.
        password: asked of everyone who connects; ``None`` trusts them.
    """

    def __init__(self, programs: Path, password: str | None = None) -> None:
        self._programs, self._password = programs, password
        self._folder = Path(tempfile.mkdtemp(prefix="nas-pg-"))
        self._data = self._folder / "data"
        self.port = free_port()
        self._owner = _owner() if os.getuid() == 0 else None
        if self._owner is not None:
            os.chown(self._folder, self._owner.pw_uid, self._owner.pw_gid)
        options = ["-D", str(self._data), "-U", _USER, "-E", "UTF8", "--no-locale", "-N"]
        if password is not None:
            file = self._folder / "password"
            file.write_text(password)
            if self._owner is not None:
                os.chown(file, self._owner.pw_uid, self._owner.pw_gid)
            options += ["-A", "scram-sha-256", f"--pwfile={file}"]
        else:
            options += ["-A", "trust"]
        self._run("initdb", *options)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        settings = (
            f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off "
            f"-c unix_socket_directories={self._folder}"
        )
        log = self._folder / "log"
        self._run("pg_ctl", "-D", str(self._data), "-o", settings, "-l", str(log), "-w", "start")

    def stop(self, how: str = "fast") -> None:
        """Stops it: ``fast`` breaks connections off, ``immediate`` is a crash."""
        self._run("pg_ctl", "-D", str(self._data), "-m", how, "-w", "stop")

    def url(self, database: str = "postgres") -> str:
        """For SQLAlchemy, with the password."""
        login = _USER if self._password is None else f"{_USER}:{self._password}"
        return f"postgresql+psycopg://{login}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Makes an empty database; returns its URL."""
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Executes a statement as the superuser."""
        import psycopg

        url = self.url(database).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def close(self) -> None:
        """Stops it and removes its folder."""
        if (self._data / "postmaster.pid").exists():
            self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        # A server that has begun in the folder of somebody else would complain.
        subprocess.run(
            [str(self._programs / program), *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            user=self._owner.pw_uid if self._owner is not None else None,
            group=self._owner.pw_gid if self._owner is not None else None,
            extra_groups=[] if self._owner is not None else None,
        )


def _owner() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("no user postgres or nobody, and the server does not run as root")


def free_port() -> int:
    """A port of this machine that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
