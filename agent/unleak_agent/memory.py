"""How much memory each line of the program holds, now and then: what `unleak profile` and `--bytes` rank.

`tracemalloc` knows for each block of memory the lines that asked for it. Of those only the ones of the program's own
files are kept, so that what a library allocates counts for the line that called the library. Looks are taken when the
program allocates anyway, never by a thread of the agent's own, and the more time one takes, the fewer there are.
"""

import json
import os
import time
from _thread import get_ident

from .cycles import after_collections, collect
from .growth import real_path

_open, _replace, _monotonic, _dumps = open, os.replace, time.monotonic, json.dumps
#: Each more costs time; `json.loads` needs so many to be called by a line of the program.
_FRAMES = 4
_IMPORTS = "<frozen importlib"
_MOST_SNAPSHOTS = 32
_MOST_STACKS = 4000
_SECONDS_BEFORE_FIRST = 0.02
#: So many times as long as a look takes there is none.
_SHARE = 2


class Memory:
    """The looks at one process."""

    def __init__(self, plan):
        self.output, self.roots = plan.output, plan.roots
        self.here = os.path.dirname(os.path.abspath(__file__)) + os.sep
        self.files, self.numbers, self.stacks = {}, {}, []

    def start(self):
        import _tracemalloc
        import tracemalloc

        self.get_traces = _tracemalloc._get_traces
        self.skipped = (self.here, tracemalloc.__file__)
        if not tracemalloc.is_tracing():
            tracemalloc.start(_FRAMES)
        self.begin()
        # How much there was before the program: all other looks come when it allocates, which may be late.
        self.look(None)
        after_collections(self.tick)

    def begin(self):
        """In a forked child the looks of its parent are its parent's."""
        self.snapshots, self.is_busy = [], False
        self.started = _monotonic()
        self.wait, self.next = _SECONDS_BEFORE_FIRST, self.started + _SECONDS_BEFORE_FIRST

    def tick(self):
        """Called often; looks if that was long ago."""
        if not self.is_busy and _monotonic() >= self.next:
            self.look(None)

    def mark(self, round):
        """A round is over."""
        collect()
        self.look(round)

    def look(self, round):
        self.is_busy = True
        try:
            began = _monotonic()
            self.snapshots.append({"round": round, "at": began - self.started, "sizes": self._sizes()})
            self._thin_out()
            now = _monotonic()
            self.next = now + max(self.wait, (now - began) * _SHARE)
        except Exception:
            if os.environ.get("UNLEAK_DEBUG"):
                raise
        finally:
            self.is_busy = False

    def _thin_out(self):
        """Leaves out every other look between rounds where there are too many."""
        between = [snapshot for snapshot in self.snapshots if snapshot["round"] is None]
        if len(between) < _MOST_SNAPSHOTS:
            return
        self.wait *= 2
        dropped = set(map(id, between[1::2]))
        self.snapshots = [snapshot for snapshot in self.snapshots if id(snapshot) not in dropped]

    def _sizes(self):
        """Triples of a stack's number, bytes and blocks, the largest first."""
        # Blocks with the same frames share one tuple of them, so that there is little to be done for each block.
        by_frames = {}
        for trace in self.get_traces():
            known = by_frames.get(id(trace[2]))
            if known is None:
                by_frames[id(trace[2])] = [trace[1], 1, trace[2]]
            else:
                known[0] += trace[1]
                known[1] += 1
        sums = {}
        for size, count, frames in by_frames.values():
            if frames[0][0].startswith(self.skipped) or self._is_import(frames):
                continue
            stack = tuple(frame for frame in frames if self._is_own(frame[0])) or (frames[0],)
            known = sums.get(stack)
            if known is None:
                sums[stack] = [size, count]
            else:
                known[0] += size
                known[1] += count
        largest = sorted(sums.items(), key=lambda item: item[1][0], reverse=True)[:_MOST_STACKS]
        return [[self._number(stack), size, count] for stack, (size, count) in largest]

    @staticmethod
    def _is_import(frames):
        """What a module needs to be there is asked for once."""
        return any(frame[0].startswith(_IMPORTS) for frame in frames)

    def _number(self, stack):
        number = self.numbers.get(stack)
        if number is None:
            number = self.numbers[stack] = len(self.stacks)
            self.stacks.append([[real_path(file) if self._is_own(file) else file, line] for file, line in stack])
        return number

    def _is_own(self, file):
        known = self.files.get(file)
        if known is None:
            known = self.files[file] = self._is_below_a_root(file)
        return known

    def _is_below_a_root(self, file):
        if file.startswith("<"):
            return False
        real = real_path(file)
        return any(real == root or real.startswith(root.rstrip(os.sep) + os.sep) for root in self.roots)

    def write(self, pid):
        """The file of a process; a later one of the same process takes its place."""
        path = os.path.join(self.output, "memory-{}-{:x}.json".format(pid, int(self.started * 1e6)))
        temporary = "{}.{}".format(path, get_ident())
        with _open(temporary, "w", encoding="utf-8") as file:
            file.write(_dumps({"stacks": self.stacks, "snapshots": self.snapshots}))
        _replace(temporary, path)


def started(plan):
    """The looks of this process, or `None` where nothing asks for them or this Python cannot."""
    if not plan.memory:
        return None
    memory = Memory(plan)
    memory.start()
    return memory
