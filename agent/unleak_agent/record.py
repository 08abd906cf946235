"""Writes what was seen: one file for each process, whole at any time."""

import json
import os
import sys
import time
from _thread import get_ident

from .cycles import collect
from .growth import real_path

# The program may replace these for its tests.
_open, _replace, _getpid, _monotonic, _dumps = open, os.replace, os.getpid, time.monotonic, json.dumps
_SECONDS_BETWEEN_WRITES = 1.0


class Recorder:
    """Knows all watches of the process and writes them down now and then, and when it ends."""

    def __init__(self, plan, memory=None):
        self.plan, self.memory = plan, memory
        self.failures = {}
        self.rewritten = set()
        self.marks = 0
        self.begin()
        self._hook_exit()

    def begin(self):
        self.pid, self.started = _getpid(), _monotonic()
        self.written_at, self.ticks = self.started, 0
        self.ended = False

    def _hook_exit(self):
        """`os._exit` runs no `atexit` functions, and forked workers end with it."""
        original = os._exit

        def _exit(status):
            self.last_look()
            self.write(ended=True)
            original(status)

        os._exit = _exit

    def restart(self):
        """In a forked child: what the parent saw is the parent's."""
        try:
            self.begin()
            self.marks = 0
            for watch in self.plan.watches:
                watch.restart()
            if self.memory is not None:
                self.memory.begin()
        except Exception:
            pass

    def failed(self, path, error):
        self.failures[path] = "{}: {}".format(type(error).__name__, error)

    def tick(self):
        """Called often by watches; writes if that was long ago."""
        self.ticks += 1
        if self.memory is not None:
            self.memory.tick()
        if self.ticks & 63 == 0 and _monotonic() - self.written_at > _SECONDS_BETWEEN_WRITES:
            self.write(ended=False)

    def mark_round(self):
        """A round of the program is over."""
        self.marks += 1
        for watch in self.plan.watches:
            watch.mark()
        if self.memory is not None:
            self.memory.mark(self.marks)

    def finish(self):
        try:
            for collects in {watch.collects_at_end for watch in self.plan.watches if watch.is_reached()}:
                collects()
            self.last_look()
            self.write(ended=True)
        except Exception:
            if os.environ.get("UNLEAK_DEBUG"):
                raise

    def last_look(self):
        """At the memory, where the end is not that of a round."""
        if self.memory is not None and not self.marks:
            collect()
            self.memory.look(None)

    def write(self, ended):
        try:
            self.written_at = _monotonic()
            data = {
                "pid": self.pid,
                "python": sys.version.split()[0],
                "command": getattr(sys, "argv", []),
                "ended": ended,
                "rounds": self.marks,
                "failures": self._all_failures() if ended else self.failures,
                "rewritten": sorted(self.rewritten),
                "watches": {watch.fingerprint: watch.seen(ended) for watch in self.plan.watches if watch.is_placed},
            }
            path = os.path.join(self.plan.output, "process-{}-{:x}.json".format(self.pid, int(self.started * 1e6)))
            temporary = "{}.{}".format(path, get_ident())
            with _open(temporary, "w", encoding="utf-8") as file:
                file.write(_dumps(data, default=repr))
            _replace(temporary, path)
            if self.memory is not None and (ended or self.memory.snapshots):
                self.memory.write(self.pid)
        except Exception:
            if os.environ.get("UNLEAK_DEBUG"):
                raise

    def _all_failures(self):
        """Files of the plan that run, and that somebody else's loader has made code of."""
        failures = dict(self.failures)
        for module in list(sys.modules.values()):
            path = getattr(module, "__dict__", {}).get("__file__")
            if not isinstance(path, str):
                continue
            real = real_path(path)
            if real in self.plan.by_file and real not in self.rewritten:
                loader = type(getattr(module, "__loader__", None)).__name__
                failures.setdefault(real, "its code was made by `{}`".format(loader))
        return failures
