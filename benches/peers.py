"""What ruff and pylint say where unleak finds a leak: python benches/peers.py [--ruff RUFF] [--pylint PYLINT].

Two sets of places are looked at: the findings in released packages that were read and judged true (`fixtures/corpus`,
whose sources `cargo test --test corpus -- --ignored` unpacks into `target/corpus`), and the marked lines of the
fixtures. Both were gathered with unleak, so they say what the others leave to it and not how much any tool misses.
Each tool runs with those of its rules that are about leaks; all else that it can do is not looked at.
"""

import argparse
import json
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUFF = ["B019", "SIM115", "RUF006", "ASYNC119"]
PYLINT = ["consider-using-with", "method-cache-max-size-none"]
FAMILIES = {"1": "growth", "2": "resources", "3": "cycles", "4": "listeners"}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ruff", default="ruff")
    parser.add_argument("--pylint", default="pylint")
    arguments = parser.parse_args()
    sets = {"judged true in packages": judged("true"), "judged false in packages": judged("false")}
    sets |= {"fixtures, `# leak`": marked("leak"), "fixtures, `# ok`": marked("ok")}
    files = sorted({path for places in sets.values() for path, _, _ in places})
    flagged = {"ruff": ruff(arguments.ruff, files), "pylint": pylint(arguments.pylint, files)}
    print("| | places | ruff | pylint |\n|---|---|---|---|")
    for name, places in sets.items():
        for family in FAMILIES.values():
            of = [place for place in places if place[2] == family]
            if of:
                counts = [sum(hit(flagged[tool], place) for place in of) for tool in flagged]
                print(f"| {name}, {family} | {len(of)} | {counts[0]} | {counts[1]} |")


def hit(flagged, place):
    path, row, _ = place
    return any((path, row + near) in flagged for near in (-1, 0, 1))


def judged(verdict):
    """Path, row and family of each finding with that verdict."""
    places = []
    for listed in sorted((ROOT / "fixtures/corpus").glob("*.txt")):
        folders = [path for path in (ROOT / "target/corpus").glob("*") if path.name.rpartition("-")[0] == listed.stem]
        for line in listed.read_text(encoding="utf-8").splitlines():
            word, code, at, _ = line.split("\t")
            path, _, row = at.rpartition(":")
            whole = next((folder / path for folder in folders if (folder / path).is_file()), None)
            if word == verdict and code[2] in FAMILIES and whole:
                places.append((whole, int(row), FAMILIES[code[2]]))
    return places


def marked(mark):
    places = []
    for path in sorted((ROOT / "fixtures").glob("LK[1-4]*/**/*.py")):
        for row, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if re.search(rf"#\s*{mark}\b", line):
                places.append((path, row, FAMILIES[path.relative_to(ROOT / "fixtures").parts[0][2]]))
    return places


def ruff(program, files):
    words = [program, "check", "--no-cache", "--isolated", "--preview", "--ignore-noqa", "--exit-zero"]
    words += ["--select", ",".join(RUFF), "--output-format", "json", *map(str, files)]
    rows = json.loads(subprocess.run(words, capture_output=True, text=True).stdout or "[]")
    return {(pathlib.Path(row["filename"]), row["location"]["row"]) for row in rows}


def pylint(program, files):
    words = [program, "--rcfile=/dev/null", "--disable=all", "--enable=" + ",".join(PYLINT), "--output-format=json"]
    found = set()
    for start in range(0, len(files), 50):
        done = subprocess.run([*words, *map(str, files[start : start + 50])], capture_output=True, text=True, cwd=ROOT)
        for row in json.loads(done.stdout or "[]"):
            lines = range(row["line"], (row.get("endLine") or row["line"]) + 1)
            found |= {(ROOT / row["path"], line) for line in lines}
    return found


if __name__ == "__main__":
    main()
