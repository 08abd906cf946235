"""The references by which an object keeps itself alive, in words.

What an object refers to is asked of the garbage collector, which runs no line of the program. What is found is kept as
text only: an object that is looked at must go as if nobody had looked.
"""

import gc
from types import CellType, FrameType, FunctionType, MethodType, ModuleType, TracebackType

from .watch import own

_MOST_OBJECTS = 5000
_LONGEST_PATH = 12
_SLOT = type(FunctionType.__globals__)
_FLAGS, _TYPE_NAME, _IS_MADE_BY_CLASS = type.__dict__["__flags__"], type.__dict__["__name__"], 1 << 9


def path_back(start):
    """The shortest way from an object back to it: `Node.children[0].parent → Node`; `None` where there is none."""
    if start is None:
        return None
    came_from, kept, ways = {id(start): None}, [start], [(start, 0)]
    while ways and len(kept) < _MOST_OBJECTS:
        value, length = ways.pop(0)
        if length >= _LONGEST_PATH:
            return None
        for other in gc.get_referents(value):
            if other is start:
                return _words(start, value, came_from)
            if id(other) in came_from or not gc.is_tracked(other) or _is_common(other):
                continue
            came_from[id(other)] = value
            kept.append(other)
            ways.append((other, length + 1))
    return None


def frame_of(value):
    """The frame of the program that has the value in a local variable."""
    frames = [holder for holder in gc.get_referrers(value) if type(holder) is FrameType]
    frames = [frame for frame in frames if not frame.f_code.co_filename.startswith(__file__[: -len("paths.py")])]
    return frames[0] if frames else None


def _is_common(value):
    """What nearly everything refers to says nothing of this object."""
    kind = type(value)
    if kind is ModuleType or (issubclass(kind, type) and not _FLAGS.__get__(value) & _IS_MADE_BY_CLASS):
        return True
    return kind is dict and "__name__" in value and "__builtins__" in value


def _words(start, last, came_from):
    values = [last]
    while values[-1] is not start:
        values.append(came_from[id(values[-1])])
    values.reverse()
    values.append(start)
    text = _name(start)
    attributes = None
    for value, other in zip(values, values[1:]):
        text += _step(value, other, is_attributes=value is attributes)
        attributes = own(value, "__dict__") if own(value, "__dict__") is other else None
    return "{} → {}".format(text, _name(start))


def _name(value):
    kind = type(value)
    if kind is FunctionType:
        return "{}()".format(value.__name__)
    if issubclass(kind, type):
        return "class {}".format(_TYPE_NAME.__get__(value))
    if kind is FrameType:
        return "frame of {}()".format(value.f_code.co_name)
    return _TYPE_NAME.__get__(kind)


def _step(value, other, is_attributes):
    """What of one value is the other: `.name`, `[0]`, or its kind."""
    kind = type(value)
    if kind is dict:
        key = next((key for key, item in value.items() if item is other), None)
        if is_attributes and type(key) is str:
            return ".{}".format(key)
        return "[{!r}]".format(key) if type(key) in (str, int) else "[…]"
    if kind in (list, tuple):
        return "[{}]".format(next((index for index, item in enumerate(value) if item is other), "…"))
    if kind is CellType:
        return ""
    if kind is FrameType:
        return " → a variable"
    attributes = own(value, "__dict__")
    if attributes is other:
        return ""
    if type(attributes) is dict:
        for name, item in attributes.items():
            if item is other:
                return ".{}".format(name)
    for name in _names_of(kind):
        if own(value, name) is other:
            return ".{}".format(name)
    return ""


def _names_of(kind):
    """Attributes that are not in a `__dict__`."""
    if kind is MethodType:
        return ["__self__", "__func__"]
    if kind is TracebackType:
        return ["tb_frame", "tb_next"]
    if issubclass(kind, BaseException):
        return ["__traceback__", "__context__", "__cause__"]
    bases = type.__dict__["__mro__"].__get__(kind)
    slots = [name for base in bases for name, slot in type.__dict__["__dict__"].__get__(base).items() if type(slot) is _SLOT]
    return slots + (["__mro__"] if issubclass(kind, type) else [])
