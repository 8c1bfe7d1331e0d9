"""Many threads of one process write and read one store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from collector.canonical import canonical, digest
from collector.model import Period, Subject


def test_many_threads_write_in_line_and_readers_see_only_whole_sweeps(store, new_hand, audit, noon, hour):
    def write(number):
        hands = [new_hand(store, Subject(f"paper:{number}", "paper.users", scope)) for scope in ("north", "south")]
        for turn in range(5):
            seen = {f"k{each}": {"turn": turn} for each in range(4)}
            hands[0].write(*[hand.saw(seen, noon + turn * hour) for hand in hands])

    def read(number):
        for _ in range(10):
            for sweep in store.sweeps(Period(noon, noon + 9 * hour)):
                assert len(sweep.runs) == 2
            assert len(store.head(Subject(f"paper:{number}", "paper.users", "south")).contents) in (0, 4)

    with ThreadPoolExecutor(8) as pool:
        work = [pool.submit(job, number) for number in range(4) for job in (write, read)]
    for each in work:
        each.result()
    assert len(list(store.sweeps(Period(noon, noon + 9 * hour)))) == 20
    audit(store)


def test_threads_that_record_different_things_get_different_numbers(store, noon):
    def plan(number):
        document = {"sources": [], "number": number}
        return store.append_plan(document, digest(canonical(document)), noon)

    with ThreadPoolExecutor(8) as pool:
        versions = list(pool.map(plan, range(16)))
    assert sorted(versions) == list(range(1, 17))
    assert {each.document["number"] for each in store.plans()} == set(range(16))
