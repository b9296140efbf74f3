"""Threads of our own: their order, their errors, and none inside another."""

import os
import threading

import numpy as np
import pytest
import threadpoolctl

from skanomaly.utils import _threads
from skanomaly.utils._threads import alone, in_threads, n_threads


@pytest.fixture
def four_processors(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)


@pytest.mark.parametrize("most", [None, 1, 3])
def test_results_come_in_the_order_of_the_items(four_processors, most):
    assert in_threads(lambda item: item**2, range(50), most) == [k**2 for k in range(50)]


def test_nothing_to_do_is_no_result():
    assert in_threads(abs, []) == []


def test_as_many_threads_as_processors_and_no_more_than_asked_for(four_processors):
    def name(_):
        barrier.wait(timeout=30)
        return threading.get_ident()

    barrier = threading.Barrier(4)
    assert len(set(in_threads(name, range(4)))) == 4
    barrier = threading.Barrier(2)
    assert len(set(in_threads(name, range(2), most=2))) == 2


def test_a_machine_of_many_processors_gets_a_bounded_number(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 500)
    assert n_threads() == _threads.MAX_THREADS


def test_threads_start_no_threads_of_their_own(four_processors):
    def inner(_):
        assert n_threads() == 1
        return set(in_threads(lambda _: threading.get_ident(), range(5))) == {
            threading.get_ident()
        }

    assert all(in_threads(inner, range(8)))
    assert n_threads() == 4


def test_an_error_ends_the_work_and_is_raised(four_processors):
    done = []

    def fail(item):
        if item == 3:
            raise ValueError("item 3")
        done.append(item)

    with pytest.raises(ValueError, match="item 3"):
        in_threads(fail, range(10_000))
    assert len(done) < 10_000
    assert n_threads() == 4


def test_products_inside_use_one_thread_each(four_processors):
    def limits(_):
        pools = threadpoolctl.threadpool_info()
        return [pool["num_threads"] for pool in pools if pool["user_api"] == "blas"]

    before = limits(None)
    assert np.all(np.concatenate(in_threads(limits, range(4))) == 1)
    assert limits(None) == before


def test_a_task_among_others_starts_no_threads(four_processors):
    with alone():
        assert n_threads() == 1
        with alone():
            pass
        assert n_threads() == 1
        assert len(set(in_threads(lambda _: threading.get_ident(), range(5)))) == 1
    assert n_threads() == 4
    with pytest.raises(ValueError, match="task"), alone():
        raise ValueError("task")
    assert n_threads() == 4
