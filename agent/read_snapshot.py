"""Prints as JSON what is in a file that `tracemalloc.Snapshot.dump` has written: python read_snapshot.py FILE.

Such a file is a pickle, and a pickle can do whatever it likes where it is read. So the two classes of a snapshot are
stood in for here, everything else is refused, and unleak runs this in a process of its own.
"""

import json
import pickle
import sys


class Plain:
    """Holds attributes and does nothing."""


class Reader(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) in (("tracemalloc", "Snapshot"), ("tracemalloc", "_Traces")):
            return Plain
        raise pickle.UnpicklingError("no snapshot of tracemalloc: it asks for {}.{}".format(module, name))


def main(path):
    with open(path, "rb") as file:
        traces = Reader(file).load().traces._traces
    numbers, sums = {}, {}
    for trace in traces:
        size, frames = trace[1], tuple((str(file), int(line)) for file, line in trace[2])
        known = sums.setdefault(numbers.setdefault(frames, len(numbers)), [0, 0])
        known[0] += size
        known[1] += 1
    sizes = [[number, size, count] for number, (size, count) in sums.items()]
    json.dump({"stacks": list(numbers), "snapshots": [{"round": None, "sizes": sizes}]}, sys.stdout)


try:
    main(sys.argv[1])
except Exception as error:
    sys.exit("{}: {}".format(type(error).__name__, error))
