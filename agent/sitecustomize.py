"""Starts unleak's agent, then gives way to the `sitecustomize` that would have run without it.

`unleak confirm` puts this folder in front of PYTHONPATH, so that every Python process of a run begins here. What the
program sees of its path afterwards is what it would have seen, and no fault of the agent is a fault of the program.
"""

import os
import sys


def _start():
    here = os.path.dirname(os.path.abspath(__file__))
    try:
        import unleak_agent

        unleak_agent.start()
    except Exception:
        if os.environ.get("UNLEAK_DEBUG"):
            raise
    finally:
        sys.path[:] = [path for path in sys.path if path != here]
        sys.path_importer_cache.pop(here, None)


_start()
del sys.modules["sitecustomize"], _start
import sitecustomize  # noqa: E402, F401  what it raises is what `site` expects, whether it is there or not
