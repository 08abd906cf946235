"""Writes the programs whose reports are looked at: one with a leak of several kinds, one with two thousand."""

import pathlib
import sys

STATE = '''from collections import defaultdict

SEEN = set()
SESSIONS = defaultdict(list)
'''

VIEWS = '''from functools import lru_cache

from {package}.state import SEEN, SESSIONS


def handle(request):
    """Answers a request; the user may have several sessions 🙂."""
    if request.id in SEEN:
        return None
    SEEN.add(request.id)
    SESSIONS[request.user].append(request.body)
    return render(request.user, request.path)


class Renderer:
    def __init__(self, templates):
        self.templates = templates

    @lru_cache(maxsize=None)
    def render(self, user, path):
        return self.templates[path].format(user=user)
'''

CONNECTION = '''class Connection:
    """A connection and its reader hold each other."""

    def __init__(self, socket):
        self.socket = socket
        self.reader = Reader(self)

    def __del__(self):
        self.socket.close()


class Reader:
    def __init__(self, connection):
        self.connection = connection


def fetch(connect, hosts):
    failure = None
    for host in hosts:
        try:
            return connect(host)
        except OSError as error:
            failure = error
    raise failure


def lines(path, encoding="utf-8"):
    file = open(path, encoding=encoding)
    if not file.readable():
        return
    yield from file
    file.close()
'''


def package(folder, name):
    files = {"state": STATE, "views": VIEWS.format(package=name), "connection": CONNECTION}
    target = folder / name
    target.mkdir(parents=True)
    (target / "__init__.py").write_text("")
    for module, text in files.items():
        (target / f"{module}.py").write_text(text, encoding="utf-8")


few, many = map(pathlib.Path, sys.argv[1:])
package(few, "app")
for number in range(400):
    package(many, f"service{number:03}")
