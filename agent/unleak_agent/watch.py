"""What all watches have in common."""


_get = object.__getattribute__


def own(value, name):
    """An attribute as its object really has it, without asking a `__getattr__` of the program; else `None`."""
    try:
        return _get(value, name)
    except Exception:
        return None


def nothing():
    """For watches that need no garbage collection at the end."""


class Watch:
    """One finding. Its hooks are called by the rewritten places under the names that `rewrite` gives them."""

    #: What is run once at the end for all watches that name it.
    collects_at_end = staticmethod(nothing)
    #: Whether the references that make a cycle are looked for.
    shows_cycles = False

    def __init__(self, number, data):
        self.number = number
        self.fingerprint = data["fingerprint"]
        self.code = data["code"]
        self.symbol = data["symbol"]
        self.name = self.symbol.rpartition(".")[2]
        self.places = data["places"]
        #: Some place of it was found and rewritten.
        self.is_placed = False
        self.recorder = None
        self.restart()

    def restart(self):
        """Forgets all that was counted."""
        self.calls = 0
        self.injected = 0

    def is_reached(self):
        return self.calls > 0

    def mark(self):
        """A round is over."""

    def seen(self, ended):
        """What is written down."""
        return {"kind": type(self).__name__.lower(), "calls": self.calls, "injected": self.injected}

    def hook_call(self):
        """The enclosing function begins."""
        self.calls += 1

    def hook_inject(self):
        """Raises once, where the plan says so."""
        if not self.injected:
            self.injected = 1
            raise InjectedFault("raised by unleak --inject")

    @staticmethod
    def hook_second(_first, second):
        """Gives the second of two values: what has to be done first has then been done."""
        return second


class InjectedFault(Exception):
    """Raised once between an acquisition and its release, to see whether the release is skipped."""
