"""How many items a container has, against the calls of the function that fills it."""

import os
import sys
import weakref
from _thread import _local
from types import MethodType

from .watch import Watch, own

_MOST_POINTS = 256
_MOST_SERIES = 64
_MOST_INNER = 1000


class Series:
    """Sizes of one container over calls; few points, of which each is the lowest of its stretch."""

    __slots__ = (
        "born", "died", "points", "low", "at", "next", "stride", "seen", "last", "most", "owner", "marks", "info",
        "first", "turnover",
    )

    def __init__(self, calls, owner):
        self.born, self.died = calls, None
        self.points, self.stride = [], 1
        self.at, self.low, self.next = calls, None, calls
        self.seen, self.last, self.most = -1, 0, 0
        self.owner, self.marks, self.info = owner, [], {}
        self.first, self.turnover = None, 0

    def look_at_first(self, container):
        """Counts how often the oldest entry had gone without the container having become smaller."""
        first = _first_of(container)
        if self.first is not None and first is not None and first != self.first:
            self.turnover += 1
        self.first = first

    def add(self, calls, size):
        self.last = size
        if size > self.most:
            self.most = size
        if calls < self.next and self.low is not None:
            if size < self.low:
                self.low = size
            return
        self._flush()
        self.at, self.low, self.next = calls, size, calls + self.stride

    def _flush(self):
        if self.low is None:
            return
        self.points.append((self.at, self.low))
        if len(self.points) >= _MOST_POINTS:
            pairs = zip(self.points[::2], self.points[1::2])
            self.points = [(first[0], min(first[1], second[1])) for first, second in pairs]
            self.stride *= 2

    def seen_data(self, calls):
        last = [] if self.low is None else [(self.at, self.low)]
        return {
            "born": self.born,
            "died": self.died,
            "is_known_alive": self.owner is not None and self.died is None,
            "points": self.points + last,
            "last": [calls if self.died is None else self.died, self.last],
            "most": self.most,
            "turnover": self.turnover,
            "marks": self.marks,
            **self.info,
        }


class Container(Watch):
    """A container that only grows: of a module or class, of an instance, or of a cached function."""

    def restart(self):
        super().restart()
        self.series, self.finished, self.sites = {}, [], 0
        self.size = _size
        self.caches = getattr(self, "caches", {})

    def is_reached(self):
        return self.calls > 0 or self.sites > 0

    # Hooks of the places where it grows. Each gives back what it was given.

    def hook_slot(self, container):
        """There is one container under this name, whichever object it is."""
        try:
            self.sites += 1
            self._sample(0, container, None)
        except Exception:
            pass
        return container

    def hook_alias(self, container):
        """The container by itself: nothing is known of what holds it."""
        try:
            self.sites += 1
            self._sample(id(container), container, None)
        except Exception:
            pass
        return container

    def hook_of(self, container, owner, attribute):
        """The container of an object."""
        try:
            self.sites += 1
            if isinstance(owner, _local):
                self._sample(id(container), container, None)
            elif id(owner) in self.series or _is_own(owner, attribute):
                self._sample(id(owner), container, owner, attribute)
            else:
                self._sample(0, container, None)
        except Exception:
            pass
        return container

    def hook_attributes(self, owner):
        """The container is what the object has as attributes."""
        try:
            self.sites += 1
            self._sample(id(owner), owner.__dict__, None)
        except Exception:
            pass
        return owner

    def hook_handlers(self, owner):
        """The container is a list inside of a library's object."""
        try:
            self.sites += 1
            for attribute in ("handlers", "filters", "_exit_callbacks"):
                if attribute in owner.__dict__:
                    self._sample(id(owner), owner.__dict__[attribute], owner, attribute)
                    break
        except Exception:
            pass
        return owner

    def hook_counted_slot(self, container):
        """Where no function is around."""
        self.calls += 1
        return self.hook_slot(container)

    def hook_cache(self, function):
        """A cached function was made."""
        try:
            if callable(own(function, "cache_info")):
                self.caches[0] = _reference(function)
        except Exception:
            pass
        return function

    def hook_miss(self):
        """The function behind the cache runs, and its result will be kept."""
        try:
            self.sites += 1
            self._sample_cache()
        except Exception:
            pass

    # What they do.

    def _sample(self, key, container, owner, attribute=None):
        series = self.series.get(key)
        if series is None:
            series = self._begin(key, container, owner, attribute)
        if series.seen != self.calls:
            series.seen = self.calls
            series.add(self.calls, self.size(container))
            series.look_at_first(container)
            self.recorder.tick()

    def _begin(self, key, container, owner, attribute):
        if len(self.series) >= _MOST_SERIES:
            self._drop_smallest()
        series = Series(self.calls, self._owner_reference(key, owner))
        series.info = {"type": type(container).__name__, "bound": _bound(container)}
        if attribute is not None:
            series.info["attribute"] = attribute
        self.series[key] = series
        return series

    def _owner_reference(self, key, owner):
        if owner is None:
            return None

        def died(_reference, watch=weakref.ref(self), key=key):
            watch = watch()
            series = watch and watch.series.pop(key, None)
            if series is not None:
                series.died = watch.calls
                watch._finish(series)

        try:
            return weakref.ref(owner, died)
        except TypeError:
            return None

    def _finish(self, series):
        """Keeps the series that say most."""
        self.finished.append(series)
        if len(self.finished) > 2 * _MOST_SERIES:
            self.finished.sort(key=lambda series: (series.died - series.born, series.most), reverse=True)
            del self.finished[_MOST_SERIES:]

    def _drop_smallest(self):
        key = min(self.series, key=lambda key: (self.series[key].seen, self.series[key].most))
        series = self.series.pop(key)
        series.died = self.calls
        series.owner = None
        self._finish(series)

    def _sample_cache(self):
        reference = self.caches.get(0)
        function = reference() if reference else None
        if function is None:
            return
        info = function.cache_info()
        self.calls = info.hits + info.misses + 1
        series = self.series.get(0)
        if series is None:
            series = self.series[0] = Series(self.calls, None)
            series.info = {"type": "cache", "bound": info.maxsize}
        series.add(self.calls, info.currsize)
        self.recorder.tick()

    def _sample_all(self):
        """Sizes now, also of containers to which nothing came lately."""
        self._sample_cache()
        for key, series in list(self.series.items()):
            container = self._find_slot() if key == 0 else _container_of(series)
            if container is not None:
                series.add(self.calls, self.size(container))

    def _find_slot(self):
        """The container of the module or class, by its name."""
        module = _module_of(self.places[0]["file"])
        return _attribute_below(module, self.symbol.split(".")) if module is not None else None

    def mark(self):
        try:
            self._sample_all()
        except Exception:
            pass
        for series in self.series.values():
            series.marks.append((self.calls, series.last))

    def seen(self, ended):
        try:
            if ended:
                self._sample_all()
        except Exception:
            pass
        series = list(self.series.values()) + self.finished
        series.sort(key=lambda series: ((series.died or self.calls) - series.born, series.most), reverse=True)
        data = super().seen(ended)
        data.update(sites=self.sites, containers=len(series))
        data["series"] = [series.seen_data(self.calls) for series in series[:8]]
        return data


class Registry(Container):
    """A table inside of a library."""

    def hook_entry(self, value):
        """What is about to be registered, where the table does not tell how many are left."""
        try:
            self.entries.append(weakref.ref(own(value, "__self__") if isinstance(value, MethodType) else value))
        except Exception:
            self.entries.append(lambda: self)
        return value

    def hook_registered(self, value):
        """An entry was made, by a call that gave this value."""
        try:
            self.sites += 1
            size = self._find_slot()
            if size is not None:
                self._sample(0, size, None)
        except Exception:
            pass
        return value

    def _find_slot(self):
        if self.entries:
            self.entries = [entry for entry in self.entries if entry() is not None]
            return len(self.entries)
        return _registry_size(self.symbol, self.sites)

    def restart(self):
        super().restart()
        self.entries = []
        self.size = lambda size: size if isinstance(size, int) else _size(size)


class Listeners(Container):
    """What an emitter keeps its listeners in: the attribute of that name, or the one there is in a module."""

    def hook_emitter(self, owner):
        """A listener is about to be registered with it."""
        try:
            self.sites += 1
            attribute, container = self._listeners_of(owner)
            if container is not None:
                self._sample(id(owner), container, owner, attribute)
            else:
                self._sample_slot()
        except Exception:
            pass
        return owner

    def hook_registered(self, value):
        """A listener was registered, by a function."""
        try:
            self.sites += 1
            self._sample_slot()
        except Exception:
            pass
        return value

    def _listeners_of(self, owner):
        attributes = own(owner, "__dict__") or {}
        for attribute in attributes:
            # Python keeps a private name with that of its class in front.
            if attribute == self.name or (self.name.startswith("__") and attribute.endswith(self.name)):
                return attribute, attributes[attribute]
        return None, None

    def _sample_slot(self):
        container = self._find_slot()
        if container is not None:
            self._sample(0, container, None)

    def _find_slot(self):
        for place in self.places:
            module = _module_of(place["file"])
            container = (own(module, "__dict__") or {}).get(self.name) if module is not None else None
            if container is not None:
                return container
        return None


def _reference(function):
    """A weak reference; where there is none (Python 3.8), a strong one to what its module keeps anyway."""
    try:
        return weakref.ref(function)
    except TypeError:
        return (lambda: function) if "<locals>" not in function.__qualname__ else (lambda: None)


def nested_size(container):
    """Of a container of containers: all that is in them, where they are few enough to be counted."""
    size = len(container)
    if size > _MOST_INNER:
        return size
    values = container.values() if hasattr(container, "values") else container
    for value in list(values):
        try:
            size += len(value)
        except TypeError:
            pass
    return size


def _size(container):
    try:
        return len(container)
    except TypeError:
        return container.qsize()


def _first_of(container):
    """The identity of the oldest entry, asked without running a line of the program's own."""
    kind = type(container)
    if issubclass(kind, dict):
        return next(map(id, dict.__iter__(container)), None)
    if issubclass(kind, list):
        return id(list.__getitem__(container, 0)) if list.__len__(container) else None
    return None


def _bound(container):
    """The size that the container cannot pass, if it has one."""
    for attribute in ("maxlen", "maxsize"):
        bound = own(container, attribute)
        if isinstance(bound, int) and bound > 0:
            return bound
    return None


def _is_own(owner, attribute):
    """The object itself has the attribute, not its class."""
    if isinstance(owner, type):
        return False
    try:
        return attribute in object.__getattribute__(owner, "__dict__")
    except AttributeError:
        return True


def _container_of(series):
    owner = series.owner() if series.owner is not None else None
    attribute = series.info.get("attribute")
    if owner is None or attribute is None:
        return None
    try:
        return object.__getattribute__(owner, "__dict__").get(attribute)
    except AttributeError:
        return None


def _attribute_below(module, names):
    """What a dotted name means whose first part, of whatever length, is the name of the module."""
    for start in range(1, len(names)):
        value = module
        for name in names[start:]:
            value = (own(value, "__dict__") or {}).get(name)
            if value is None:
                break
        if value is not None and (hasattr(value, "__len__") or hasattr(value, "qsize")):
            return value
    return None


def is_of_receiver(symbol):
    """The table belongs to the object on which the method is called."""
    return _registry_path(symbol) is None


def counts_dead_entries(symbol):
    """Entries that were taken out still count in the number of entries."""
    return _registry_path(symbol) == "atexit.register"


def _registry_path(symbol):
    return next((path for path in _REGISTRIES if symbol.endswith("." + path)), None)


def _registry_size(symbol, sites):
    """How many entries a table inside of a library has; `None` where that cannot be asked."""
    size = _REGISTRIES.get(_registry_path(symbol))
    return sites if size is _ONLY_COUNTED else size and size()


_real_paths = {}


def real_path(path):
    """The same as `os.path.realpath`, asked once for each path."""
    if path not in _real_paths:
        _real_paths[path] = os.path.realpath(path)
    return _real_paths[path]


def _module_of(file):
    for module in list(sys.modules.values()):
        path = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(path, str) and real_path(path) == file:
            return module
    return None


def _module(name):
    return sys.modules[name]


#: Nothing can take an entry out, so that each call adds one.
_ONLY_COUNTED = object()
_REGISTRIES = {
    "logging.getLogger": lambda: len(_module("logging").root.manager.loggerDict),
    "logging.getLogger.getChild": lambda: len(_module("logging").root.manager.loggerDict),
    "logging.Logger.getChild": lambda: len(_module("logging").root.manager.loggerDict),
    "atexit.register": lambda: _module("atexit")._ncallbacks(),
    "copyreg.pickle": lambda: len(_module("copyreg").dispatch_table),
    "copyreg.constructor": _ONLY_COUNTED,
    "multiprocessing.util.Finalize": lambda: len(_module("multiprocessing.util")._finalizer_registry),
    "multiprocessing.util.register_after_fork": lambda: len(_module("multiprocessing.util")._afterfork_registry),
    "gc.callbacks.append": lambda: len(_module("gc").callbacks),
    "gc.callbacks.insert": lambda: len(_module("gc").callbacks),
    "os.register_at_fork": _ONLY_COUNTED,
    "sys.addaudithook": _ONLY_COUNTED,
    "codecs.register": _ONLY_COUNTED,
    "sys.modules": lambda: len(sys.modules),
    "sys.path.append": lambda: len(sys.path),
    "sys.path.insert": lambda: len(sys.path),
    "sys.meta_path.append": lambda: len(sys.meta_path),
    "sys.meta_path.insert": lambda: len(sys.meta_path),
    "sys.path_hooks.append": lambda: len(sys.path_hooks),
    "sys.path_hooks.insert": lambda: len(sys.path_hooks),
}
