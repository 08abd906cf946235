"""Who frees an object: the last reference, or the cyclic garbage collector."""

import atexit
import gc
import weakref
from _thread import get_ident

from . import paths
from .watch import Watch

_MOST_SEARCHES = 20


class _Collector:
    """Whether the collector runs, and in which thread."""

    thread = None
    #: Called when the collector begins, and when it is through.
    beforehand, afterwards = [], []

    @classmethod
    def install(cls):
        if cls.follow not in gc.callbacks:
            gc.callbacks.append(cls.follow)

    @classmethod
    def follow(cls, phase, _info):
        cls.thread = get_ident() if phase == "start" else None
        for function in cls.beforehand if phase == "start" else cls.afterwards:
            function()

    @classmethod
    def runs_here(cls):
        return cls.thread is not None and cls.thread == get_ident()


def collector_runs_here():
    return _Collector.runs_here()


def after_collections(function):
    """Has it called after each collection; once, however often this is said."""
    _Collector.install()
    if function not in _Collector.afterwards:
        _Collector.afterwards.append(function)


def before_collections(function):
    """The same before each."""
    _Collector.install()
    if function not in _Collector.beforehand:
        _Collector.beforehand.append(function)


def collect():
    """Python collects when it ends, unless it was told never to; this is the same, a moment earlier."""
    if gc.isenabled():
        gc.collect()


class Births(Watch):
    """Objects that are born at a place: functions and classes made by each call."""

    collects_at_end = staticmethod(collect)

    def restart(self):
        super().restart()
        self.references, self.born, self.collected, self.freed, self.unweakable = set(), 0, 0, 0, 0
        self.finalized_by_collector, self.finalized_by_reference = 0, 0
        self.path, self.searches = None, 0

    def is_reached(self):
        return self.born > 0 or self.finalized_by_collector + self.finalized_by_reference > 0

    def hook_born(self, value):
        try:
            _Collector.install()
            self.born += 1
            self.calls += 1
            self.references.add(weakref.ref(value, self._died))
            if self.shows_cycles:
                before_collections(self._find_path)
            self.recorder.tick()
        except TypeError:
            self.unweakable += 1
        except Exception:
            pass
        return value

    def _died(self, reference):
        if reference not in self.references:
            return
        self.references.discard(reference)
        if _Collector.runs_here():
            self.collected += 1
        else:
            self.freed += 1

    def _find_path(self):
        """The references by which an object keeps itself, as text; only a few are looked at."""
        if self.path is not None or self.searches >= _MOST_SEARCHES:
            return
        self.searches += 1
        try:
            for reference in list(self.references)[:4]:
                self.path = self.path or paths.path_back(self._start_of(reference()))
        except Exception:
            pass

    def _start_of(self, value):
        return value

    def hook_finalizing(self, _value):
        """Its `__del__` begins."""
        try:
            _Collector.install()
            if _Collector.runs_here():
                self.finalized_by_collector += 1
            else:
                self.finalized_by_reference += 1
        except Exception:
            pass

    def seen(self, ended):
        data = super().seen(ended)
        data.update(born=self.born, alive=len(self.references), unweakable=self.unweakable, path=self.path)
        finalized = self.finalized_by_collector + self.finalized_by_reference
        if finalized:
            data.update(collected=self.finalized_by_collector, freed=self.finalized_by_reference)
        else:
            data.update(collected=self.collected, freed=self.freed)
        return data


class Referents(Births):
    """What weak references were made to, and how many of those objects something keeps."""

    def restart(self):
        super().restart()
        self.kept = self.collected_before = None

    def hook_born(self, value):
        super().hook_born(value)
        if self.born == 2:
            # Runs before the finalizers of `weakref.finalize`, which was asked to run its own by the first of them.
            atexit.register(self._count_kept)
        return value

    def _count_kept(self):
        self.kept, self.collected_before = len(self.references), self.collected

    def seen(self, ended):
        data = super().seen(ended)
        if self.kept is not None:
            # What only waited for the collector was kept by nothing.
            data["alive"] = self.kept - (self.collected - self.collected_before)
        return data


class Instances(Births):
    """Instances of a class, told by its `__init__` and its `__del__`."""

    def hook_born(self, value):
        # An instance of a metaclass is a class, which always is in a cycle.
        return value if isinstance(value, type) else super().hook_born(value)


class _Sentinel:
    """Lives exactly as long as the frame whose local variable holds it."""

    __slots__ = ("__weakref__",)


class Frames(Births):
    """Frames that something keeps after their function has ended."""

    def hook_frame(self):
        sentinel = _Sentinel()
        self.hook_born(sentinel)
        return sentinel

    def _start_of(self, sentinel):
        return paths.frame_of(sentinel)
