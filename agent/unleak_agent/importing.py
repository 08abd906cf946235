"""Where a flagged file becomes code: modules by their loader, scripts by the way in which `python` looks at paths.

Nothing is written to a bytecode cache and nothing is read from one: the code of a flagged file is made anew in each
process, and all other files are left to Python.
"""

import importlib.util
import os
import sys
from importlib.machinery import SourceFileLoader

from . import rewrite

_original_get_code = SourceFileLoader.get_code


def install(plan, recorder):
    """Makes loaders give rewritten code for the files of the plan."""

    def get_code(loader, fullname):
        path = loader.get_filename(fullname)
        tree = _rewritten(path, loader.get_data, plan, recorder)
        code = tree and _compiled(tree, path, recorder)
        return code or _original_get_code(loader, fullname)

    get_code.__name__, get_code.__qualname__ = _original_get_code.__name__, _original_get_code.__qualname__
    SourceFileLoader.get_code = get_code
    sys.path_hooks.insert(0, lambda path: ScriptFinder(path, plan, recorder))
    setattr(rewrite.builtins, rewrite.MAIN_HOOK, _undo_runpy)


def _rewritten(path, read, plan, recorder):
    """The rewritten tree, or `None` where the file is not of the plan or cannot be rewritten."""
    real = os.path.realpath(path)
    watches = plan.by_file.get(real)
    if not watches:
        return None
    try:
        return rewrite.rewritten(read(path), path, real, plan, recorder)
    except Exception as error:
        recorder.failed(real, error)
        return None


def _compiled(tree, path, recorder):
    try:
        return compile(tree, path, "exec", dont_inherit=True)
    except Exception as error:
        recorder.failed(os.path.realpath(path), error)
        return None


class ScriptFinder:
    """Finds `__main__` in a flagged script.

    `python script.py` asks the path hooks first whether the script is an archive with a `__main__` in it. This says
    yes for scripts of the plan, which is the only way to give Python other code for them.
    """

    def __init__(self, path, plan, recorder):
        if not path.endswith(".py") or os.path.realpath(path) not in plan.by_file or not os.path.isfile(path):
            raise ImportError("not a script of the plan")
        self.path, self.plan, self.recorder = path, plan, recorder

    def find_spec(self, fullname, target=None):
        if fullname != "__main__":
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self.path)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(self.get_code(module.__name__), module.__dict__)

    def is_package(self, fullname):
        return False

    def get_source(self, fullname):
        return importlib.util.decode_source(_bytes_of(self.path))

    def get_code(self, fullname):
        tree = _rewritten(self.path, _bytes_of, self.plan, self.recorder)
        code = tree and _compiled(rewrite.with_main_hook(tree), self.path, self.recorder)
        if not code:
            plain = rewrite.with_main_hook(rewrite.parsed(_bytes_of(self.path), self.path))
            code = compile(plain, self.path, "exec", dont_inherit=True)
        return code


def _bytes_of(path):
    with open(path, "rb") as file:
        return file.read()


def _undo_runpy(names):
    """Makes a script's names and path what they are without the detour over `runpy`; the script calls it first."""
    try:
        path = names["__file__"]
        names.update(__spec__=None, __package__=None)
        if sys.version_info < (3, 15):
            names["__cached__"] = None
        else:
            names.pop("__cached__", None)
        names["__loader__"] = SourceFileLoader(names["__name__"], path)
        if sys.path and sys.path[0] == path:
            if names["__name__"] == "__main__":
                sys.path[0] = os.path.dirname(os.path.realpath(path))
            else:
                del sys.path[0]
        if sys.excepthook is sys.__excepthook__:
            sys.excepthook = _without_runpy
    except Exception:
        pass


def _without_runpy(kind, error, trace):
    """Prints an exception as Python would, without the frames of `runpy` that only the agent put there."""
    while trace is not None and trace.tb_frame.f_globals.get("__name__") == "runpy":
        trace = trace.tb_next
    sys.__excepthook__(kind, error.with_traceback(trace), trace)
