"""What was acquired at a place, and what became of it."""

import os
import warnings
import weakref
from _thread import _local

from .cycles import after_collections, collect, collector_runs_here
from .watch import Watch, nothing, own

_fstat, _listdir, _lexists = os.fstat, os.listdir, os.path.lexists
_DESCRIPTORS = "/proc/self/fd"


class _Warned:
    """Notices what Python warns of when an object goes that was not closed.

    It stands among the filters of `warnings` as one that never matches: each warning's text is shown to it first,
    and what becomes of the warning is decided by the other filters, as it would have been.
    """

    texts = _local()
    filter = None

    @classmethod
    def install(cls):
        if cls.filter is None:
            cls.filter = ("ignore", cls(), ResourceWarning, None, 0)
        if not warnings.filters or warnings.filters[0] is not cls.filter:
            if cls.filter in warnings.filters:
                warnings.filters.remove(cls.filter)
            warnings.filters.insert(0, cls.filter)

    def match(self, text):
        """Called with the text of every warning."""
        try:
            if text.startswith(_TEXTS) or text.endswith("is still running"):
                self.texts.list = (getattr(self.texts, "list", []) + [text])[-_MOST_TEXTS:]
        except Exception:
            pass
        return False

    @classmethod
    def take(cls, hint=""):
        """Whether there was such a warning in this thread; it is forgotten."""
        texts = getattr(cls.texts, "list", [])
        found = next((text for text in texts if hint in text), None)
        if found is not None:
            texts.remove(found)
        return found is not None


_TEXTS = ("unclosed", "Unclosed", "Implicitly cleaning up")
_MOST_TEXTS = 64
#: What the collector found, until it has finalized it.
_in_collection = []


def _after_collection():
    """The collector tells of objects before it finalizes them: what it warned of is known when it is through."""
    while _in_collection:
        watch, hint = _in_collection.pop()
        watch.warned += _Warned.take(hint)


class Resource(Watch):
    """An acquisition: how often, and how many of them were closed, warned of, or held at the end."""

    collects_at_end = staticmethod(collect)

    def restart(self):
        super().restart()
        self.references, self.descriptors, self.paths = {}, {}, set()
        self.warned = self.collected = self.untracked = 0
        self.needs_descriptors = True

    def hook_before(self):
        """Which descriptors are open, where the object itself cannot be followed."""
        try:
            _Warned.install()
            after_collections(_after_collection)
            return _open_descriptors() if self.needs_descriptors else None
        except Exception:
            return None

    def hook_acquired(self, before, value):
        try:
            self.calls += 1
            for part in value if type(value) in (tuple, list) else (value,):
                self._follow(part, before)
            self.recorder.tick()
        except Exception:
            pass
        return value

    def _follow(self, value, before):
        if isinstance(value, bool) or value is None:
            self.untracked += 1
        elif isinstance(value, int):
            self._follow_descriptor(value)
        elif isinstance(value, (str, bytes)):
            self.paths.add(value)
        else:
            self._follow_object(value, before)
            return
        self.needs_descriptors = False

    def _follow_object(self, value, before):
        hint, finalizer = _hint(value), own(value, "_finalizer")

        def died(reference):
            try:
                self.references.pop(id(reference), None)
                if isinstance(finalizer, weakref.finalize):
                    self.warned += finalizer.alive
                else:
                    self._died(hint)
            except Exception:
                pass  # the process is nearly gone, and its modules are empty

        try:
            reference = weakref.ref(value, died)
            self.references[id(reference)] = reference
            self.needs_descriptors = False
        except TypeError:
            self._follow_opened_since(before)

    def _follow_opened_since(self, before):
        new = (_open_descriptors() or set()) - (before or set())
        for descriptor in new:
            self._follow_descriptor(descriptor)
        if not new:
            self.untracked += 1

    def _follow_descriptor(self, descriptor):
        try:
            status = _fstat(descriptor)
            self.descriptors[descriptor] = (status.st_dev, status.st_ino)
        except OSError:
            self.untracked += 1

    def _died(self, hint):
        if collector_runs_here():
            self.collected += 1
            _in_collection.append((self, hint))
        else:
            self.warned += _Warned.take(hint)

    def held(self):
        """What is open now, in words."""
        held = [_description(value) for value in self._alive() if _is_open(value)]
        open_descriptors = [number for number, identity in self.descriptors.items() if _is(number, identity)]
        held += ["descriptor {}".format(number) for number in open_descriptors]
        held += ["path {!r}".format(path) for path in self.paths if _lexists(path)]
        return held

    def _alive(self):
        values = (reference() for reference in list(self.references.values()))
        return [value for value in values if value is not None]

    def seen(self, ended):
        data = super().seen(ended)
        held = self.held() if ended else []
        data.update(acquired=self.calls, held=len(held), examples=held[:3], warned=self.warned)
        data.update(collected=self.collected, untracked=self.untracked)
        return data


class Lock(Resource):
    """A lock by its object: the call that acquires gives nothing to follow."""

    collects_at_end = staticmethod(nothing)

    def hook_lock(self, lock):
        try:
            self.calls += 1
            self.references.setdefault(id(lock), weakref.ref(lock))
        except Exception:
            self.untracked += 1
        return lock


class Generators(Watch):
    """Async generators that a loop reads: how many of the loops came to an end."""

    def restart(self):
        super().restart()
        self.exhausted = 0

    def hook_iterated(self, value):
        """A loop begins."""
        self.calls += 1
        return value

    def hook_exhausted(self):
        """It has read everything."""
        self.exhausted += 1

    def seen(self, ended):
        data = super().seen(ended)
        data.update(acquired=self.calls, held=self.calls - self.exhausted)
        return data


def _open_descriptors():
    try:
        return {int(name) for name in _listdir(_DESCRIPTORS)}
    except OSError:
        return None


def _is(descriptor, identity):
    try:
        status = _fstat(descriptor)
    except OSError:
        return False
    return identity == (status.st_dev, status.st_ino)


def _is_open(value):
    """Whether an object still holds what it was made to hold; asking it changes nothing."""
    try:
        for kind in type(value).__mro__:
            is_open = _KINDS.get("{}.{}".format(kind.__module__, kind.__qualname__))
            if is_open is not None:
                return bool(is_open(value))
        return bool(_is_open_by_name(value))
    except Exception:
        return False


def _is_open_by_name(value):
    for attribute in ("closed", "_closed", "is_closed", "_shutdown", "_shutdown_thread"):
        state = own(value, attribute)
        if callable(state) and attribute == "is_closed":
            state = state()
        if isinstance(state, bool):
            return not state
    for method in ("locked", "_is_owned"):
        if callable(own(value, method)):
            return own(value, method)()
    process = own(value, "_popen")
    if process is not None:
        return _is_unreaped(process.pid)
    return own(value, "_state") == "RUN"


def _is_unreaped(pid):
    """Whether the process is a child that nobody has waited for; it stays one."""
    try:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return True
    except (OSError, AttributeError):
        return False


_KINDS = {
    "subprocess.Popen": lambda process: process.returncode is None and _is_unreaped(process.pid),
    "threading.Thread": lambda thread: thread.is_alive(),
    "tempfile.TemporaryDirectory": lambda folder: folder._finalizer.alive,
    "tempfile._TemporaryFileWrapper": lambda wrapper: not wrapper.file.closed,
}


def _hint(value):
    """What a warning of this object would have in its text."""
    try:
        module = type(value).__module__
        if module == "subprocess":
            return "subprocess {} ".format(value.pid)
        if module in ("socket", "ssl"):
            return "fd={},".format(value.fileno())
        if module in ("_io", "tempfile"):
            return repr(value.name)
    except Exception:
        pass
    return type(value).__name__


def _description(value):
    name = own(value, "name")
    text = type(value).__name__
    return "{} {!r}".format(text, name) if isinstance(name, (str, int)) else text
