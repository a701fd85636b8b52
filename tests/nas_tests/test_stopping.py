from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

import nas.stopping as stopping
from nas.stopping import SIGNALS, StopWish, current_wish, kept_handlers, stop_wish


@pytest.fixture(autouse=True)
def same_handlers() -> Iterator[None]:
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert before == [signal.getsignal(number) for number in SIGNALS]


@contextmanager
def interrupted() -> Iterator[None]:
    """A block that has to be."""
    try:
        yield
    except KeyboardInterrupt:
        return
    pytest.fail("not interrupted")


@pytest.fixture
def each_word_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "ONE_WISH_S", -1.0)


@pytest.mark.parametrize("number", SIGNALS)
def test_nothing_is_cut_but_where_it_is_heeded(number: int) -> None:
    done = []
    with interrupted(), stop_wish() as wish:
        wish.heed()
        signal.raise_signal(number)
        signal.raise_signal(number)
        done.append(wish.asked and not wish.insists)
        wish.heed()
        done.append(False)
    assert done == [True]


def test_one_that_comes_too_late_is_not_forgotten() -> None:
    done = False
    with interrupted(), stop_wish():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done


@pytest.mark.usefixtures("each_word_counts")
def test_who_insists_is_heeded_anywhere() -> None:
    with interrupted(), stop_wish() as wish, wish.heeded():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        pytest.fail("goes on")
    assert wish.insists


@pytest.mark.usefixtures("each_word_counts")
def test_once_is_enough_for_a_worker() -> None:
    with stop_wish(once=True) as wish, wish.heeded():
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
    assert wish.asked
    assert not wish.insists


def test_at_once() -> None:
    with interrupted(), stop_wish() as wish, wish.at_once():
        signal.raise_signal(signal.SIGINT)
        pytest.fail("goes on")


@pytest.mark.parametrize("where", ["before", "swallowed"])
def test_at_once_misses_none(where: str) -> None:
    began = False
    with interrupted(), stop_wish() as wish:
        if where == "before":
            signal.raise_signal(signal.SIGINT)
        with wish.at_once():
            began = True
            # As the garbage collector does with what its callbacks raise.
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        pytest.fail("goes on")
    assert began == (where == "swallowed")


def test_what_is_still_to_be_done_is_done() -> None:
    done = False
    with interrupted(), stop_wish() as wish:
        try:
            with wish.at_once():
                signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            with wish.heeded():
                wish.heed()
                wish.sleep(0.01)
                done = True
            raise
    assert done


def test_a_block_within_another_shares_its_wish() -> None:
    with interrupted(), stop_wish() as outer, outer.at_once():
        with stop_wish() as inner:
            assert inner is outer is current_wish()
            signal.raise_signal(signal.SIGINT)
        pytest.fail("not passed on to where it is heeded at once")
    with interrupted(), stop_wish() as outer:
        with stop_wish():
            signal.raise_signal(signal.SIGINT)
        assert outer.asked


def test_one_that_was_swallowed_before_is_heeded_first() -> None:
    with interrupted(), stop_wish() as outer, outer.at_once():
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with stop_wish():
            pytest.fail("begins")


def test_sleep_is_cut() -> None:
    began = time.monotonic()
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    with interrupted(), stop_wish() as wish:
        timer.start()
        wish.sleep(30)
    assert time.monotonic() - began < 10
    timer.join()


def in_a_thread(work: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def caught() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=caught)
    thread.start()
    thread.join()
    assert not failed


def test_in_a_thread_nobody_can_ask() -> None:
    def work() -> None:
        with stop_wish() as wish, wish.at_once():
            assert wish is not current_wish()
            wish.sleep(0.0)

    with stop_wish() as mine:
        mine.asked = mine.leaving = True
        in_a_thread(work)


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stop_wish() as wish:
            signal.raise_signal(signal.SIGINT)
            assert not wish.asked
            assert current_wish() is wish
    finally:
        signal.signal(signal.SIGINT, before)


def test_handlers_that_a_library_takes_come_back() -> None:
    with kept_handlers():
        signal.signal(signal.SIGTERM, StopWish().note)
    in_a_thread(lambda: kept_handlers().__enter__())
