"""A lock holds against threads and processes, and dies with its holder."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from collector.errors import BusyError
from collector.store import open_store

HOLD = """
import sys
from collector.clock import SystemClock
from collector.store import open_store
store = open_store(sys.argv[1], clock=SystemClock())
with store.lock("source:aws:prod"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(store, store_url):
    """Another process that holds the lock ``source:aws:prod`` until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, store_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_lock_held_by_another_process_is_busy_and_names_it(store, holder):
    with pytest.raises(BusyError, match="source:aws:prod") as error, store.lock("source:aws:prod"):
        raise AssertionError("two hold one lock")
    assert str(holder.pid) in error.value.message
    assert error.value.hint()


def test_a_lock_dies_with_its_holder(store, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    take_soon(store, "source:aws:prod")


def test_a_lock_is_free_again_when_its_holder_lets_go(store, holder):
    holder.communicate("")
    take_soon(store, "source:aws:prod")


def test_other_names_are_free(store, holder):
    with store.lock("source:aws:dev"), store.lock("request:1"):
        pass


def test_a_lock_holds_against_the_same_process_and_is_free_after_an_error(store):
    with pytest.raises(ZeroDivisionError), store.lock("daemon"):
        with pytest.raises(BusyError), store.lock("daemon"):
            raise AssertionError("two hold one lock")
        raise ZeroDivisionError
    with store.lock("daemon"):
        pass


def test_a_lock_holds_against_another_opening_of_the_store(store, store_url, clock):
    other = open_store(store_url, clock=clock)
    with store.lock("daemon"), pytest.raises(BusyError), other.lock("daemon"):
        raise AssertionError("two hold one lock")
    other.close()


def test_one_of_many_threads_gets_the_lock(store):
    got, all_tried = [], threading.Barrier(8)

    def take():
        try:
            with store.lock("daemon"):
                got.append(1)
                all_tried.wait()
        except BusyError:
            all_tried.wait()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [1]


def test_the_name_of_a_lock_may_be_any_text(store):
    with store.lock("source:../../etc/passwd"), store.lock("source:ünï\x01"), store.lock("x" * 200):
        pass


def test_a_lock_that_the_server_dropped_is_taken_again_before_the_next_write(postgresql_url, clock, noon, new_hand):
    store = open_store(postgresql_url, clock=clock)
    other = open_store(postgresql_url, clock=clock)
    with store.lock("daemon"):
        end_every_session(postgresql_url)
        new_hand(store).see({}, noon)
        with pytest.raises(BusyError), other.lock("daemon"):
            raise AssertionError("two hold one lock")
    with other.lock("daemon"):
        pass
    store.close()
    other.close()


def test_nothing_is_written_under_a_lock_that_another_took_meanwhile(postgresql_url, clock, noon, new_hand):
    store = open_store(postgresql_url, clock=clock)
    other = open_store(postgresql_url, clock=clock)
    with store.lock("daemon"):
        end_every_session(postgresql_url)
        with other.lock("daemon"):
            with pytest.raises(BusyError, match="daemon is held by another process"):
                new_hand(store).see({}, noon)
            assert store.runs() == []
        new_hand(store).see({}, noon)
    store.close()
    other.close()


def end_every_session(url):
    """End every session of the database at *url*, as a server that restarts does."""
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def take_soon(store, name):
    """Take *name* as soon as the system has noticed that its holder is gone."""
    for _ in range(200):
        try:
            with store.lock(name):
                return
        except BusyError:
            threading.Event().wait(0.05)
    raise AssertionError("the lock outlived its holder")
