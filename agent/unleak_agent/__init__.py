"""Watches in a running program what unleak flagged in its source, and writes down what it sees.

The agent counts and measures, and judges nothing: that is done by `unleak confirm` when the program has ended. It
rewrites only the flagged places of the flagged files, when they are imported, and it must change nothing that the
program can notice: not what it prints, not how it ends, and not how long its objects live. So it holds no strong
reference to anything of the program, and every hook that a rewritten place calls swallows its own faults.

It runs on CPython 3.8 and later and needs the standard library only. PYTEST_DONT_REWRITE
"""

import atexit
import os
import sys

__all__ = ["start"]


def start():
    """Begins to watch, if the environment says what."""
    plan_path = os.environ.get("UNLEAK_PLAN")
    if not plan_path or "unleak_agent.plan" in sys.modules:
        return
    from . import importing, memory, plan, record

    the_plan = plan.read(plan_path)
    recorder = record.Recorder(the_plan, memory.started(the_plan))
    importing.install(the_plan, recorder)
    atexit.register(recorder.finish)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=recorder.restart)
    if the_plan.rounds > 1:
        _add_pytest_plugin("unleak_agent.rounds")
    sys.modules["unleak_agent"].recorder = recorder


def _add_pytest_plugin(name):
    plugins = [plugin for plugin in os.environ.get("PYTEST_PLUGINS", "").split(",") if plugin]
    if name not in plugins:
        os.environ["PYTEST_PLUGINS"] = ",".join(plugins + [name])
