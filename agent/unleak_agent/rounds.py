"""A plugin for pytest: runs the tests more than once in the same process. PYTEST_DONT_REWRITE

Only the first round is reported and counts; the others are silent, so that what pytest prints and how it ends are as
they would be.
"""

import sys

import pytest
from _pytest.runner import runtestprotocol

_ran = []


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item, nextitem):
    _ran.append(item)
    yield


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtestloop(session):
    del _ran[:]
    yield
    recorder = sys.modules["unleak_agent"].recorder
    items = list(_ran)
    recorder.mark_round()
    for _ in range(recorder.plan.rounds - 1):
        if session.shouldstop or session.shouldfail or not items:
            return
        for item, following in zip(items, items[1:] + [None]):
            runtestprotocol(item, log=False, nextitem=following)
        recorder.mark_round()
