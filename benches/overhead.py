"""What watching costs on a real test suite: python benches/overhead.py UNLEAK [--runs N].

Installs Jinja2 with its tests from PyPI into a scratch environment and runs them plainly, under `unleak confirm`, with
`--bytes`, with tracemalloc alone and under memray, in turn. Then it runs them four times in one process and says what
was confirmed: nothing of it leaks.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile

VERSION = "3.1.6"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("unleak", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=7)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(str(arguments.unleak.resolve()), arguments.runs, pathlib.Path(folder))


def measure(unleak, runs, folder):
    python, sources = installed(folder)
    tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    confirm = [unleak, "confirm", "src", "--isolated", "--min-confidence", "low", "--output-format", "json", "--exit-zero"]
    ways = {
        "plain": (tests, {}),
        "`unleak confirm`": ([*confirm, "-o", str(folder / "found.json"), "--", *tests], {}),
        "`unleak confirm --bytes`": ([*confirm, "-o", str(folder / "bytes.json"), "--bytes", "--", *tests], {}),
        "tracemalloc, 1 frame": (tests, {"PYTHONTRACEMALLOC": "1"}),
        "memray": ([python, "-m", "memray", "run", "-q", "-f", "-o", str(folder / "memray.bin"), *tests[1:]], {}),
    }
    seconds, outcomes = {way: [] for way in ways}, {way: set() for way in ways}
    for _ in range(runs):
        for way, (words, extra) in ways.items():
            began = processor_seconds()
            done = run(words, sources, extra)
            seconds[way].append(processor_seconds() - began)
            outcomes[way].add(outcome(done))
    check = statistics.median(timed([unleak, "check", "src", "--isolated", "-q", "--exit-zero"], sources) for _ in range(5))
    assert all(outcomes[way] == outcomes["plain"] for way in ways), f"not the same outcome: {outcomes}"
    found = json.loads((folder / "found.json").read_text())
    print(f"Jinja2 {VERSION}, Python {version(python)}, {len(found)} findings watched, median of {runs} runs\n")
    print("| | processor seconds | beside plain | what pytest says |\n|---|---|---|---|")
    plain = statistics.median(seconds["plain"])
    for way in ways:
        ratios = [one / other for one, other in zip(seconds[way], seconds["plain"])]
        ratio, middle = statistics.median(ratios), statistics.median(seconds[way])
        print(f"| {way} | {middle:.2f} | {(ratio - 1) * 100:+.0f} % | {'; '.join(sorted(outcomes[way]))} |")
    print(f"\nOf the time of `unleak confirm`, {check:.2f} s are the check before the run ({check / plain * 100:.0f} %).")
    run([*confirm, "-o", str(folder / "rounds.json"), "--rounds", "4", "--", *tests], sources, {})
    verdicts = [row["evidence"]["verdict"] for row in json.loads((folder / "rounds.json").read_text())]
    counted = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in sorted(set(verdicts)))
    print(f"In four rounds: {counted}.")


def installed(folder):
    """A Python with Jinja2 and what is compared, and the folder of its sources."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = str(folder / "venv/bin/python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", "pytest", "trio", "memray", "markupsafe"], check=True)
    words = ["download", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", str(folder)]
    subprocess.run([*pip, "install", "flit_core"], check=True)
    subprocess.run([*pip, *words, f"jinja2=={VERSION}"], check=True)
    with tarfile.open(next(folder.glob("jinja2-*.tar.gz"))) as archive:
        archive.extractall(folder)
    sources = folder / f"jinja2-{VERSION}"
    subprocess.run([*pip, "install", "--no-build-isolation", "--no-deps", "-e", str(sources)], check=True)
    return python, sources


def run(words, folder, extra):
    return subprocess.run(words, cwd=folder, env={**os.environ, **extra}, capture_output=True, text=True)


def timed(words, folder):
    began = processor_seconds()
    run(words, folder, {})
    return processor_seconds() - began


def processor_seconds():
    """Of all that has been run so far: what else the machine does matters little to it."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def outcome(done):
    found = re.findall(r"\d+ (?:passed|failed|skipped|errors?|xfailed)[^\n]*? in ", done.stdout)
    return found[-1][: -len(" in ")] if found else f"no outcome, exit code {done.returncode}"


def version(python):
    return subprocess.run([python, "-V"], capture_output=True, text=True).stdout.split()[1]


if __name__ == "__main__":
    main()
