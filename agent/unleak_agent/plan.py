"""What is watched: the findings of one check, by file."""

import json
import os
import zlib

from . import cycles, growth, resources

KINDS = {
    "growth": growth.Container,
    "registry": growth.Registry,
    "resource": resources.Resource,
    "lock": resources.Lock,
    "instances": cycles.Instances,
    "functions": cycles.Births,
    "classes": cycles.Births,
    "frames": cycles.Frames,
    "referents": cycles.Referents,
    "listeners": growth.Listeners,
    "generators": resources.Generators,
}


class Plan:
    """The plan as read; `watches` are in the order of the findings."""

    def __init__(self, data):
        self.output = data["output"]
        self.rounds = data.get("rounds", 1)
        self.inject = data.get("inject", False)
        self.memory = data.get("memory", False)
        self.shows_cycles = data.get("cycles", False)
        #: What of the program's memory is its own.
        self.roots = [os.path.realpath(path) for path in data.get("roots", [])]
        self.files = {os.path.realpath(path): digest for path, digest in data["files"].items()}
        # Findings that no run can show are in the plan as well.
        shown = [watch for watch in data["watches"] if watch["kind"] in KINDS]
        self.watches = [KINDS[watch["kind"]](number, watch) for number, watch in enumerate(shown)]
        for watch in self.watches:
            watch.shows_cycles = self.shows_cycles
        self.by_file = {}
        for watch in self.watches:
            for place in watch.places:
                place["file"] = os.path.realpath(place["file"])
                watches = self.by_file.setdefault(place["file"], [])
                if watch not in watches:
                    watches.append(watch)


def read(path):
    with open(path, encoding="utf-8") as file:
        return Plan(json.load(file))


def digest(text):
    """What tells whether a file is the one that was checked: the CRC-32 of its decoded text as UTF-8."""
    return zlib.crc32(text) & 0xFFFFFFFF
