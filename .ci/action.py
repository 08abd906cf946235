"""Runs the steps of a composite GitHub Action in the current folder: python .ci/action.py ACTION.YML RUNNER_TEMP.

Needs PyYAML, which pre-commit brings along. Inputs have their defaults.
"""

import os
import pathlib
import re
import subprocess
import sys

import yaml


def main(action, temporary):
    temporary.mkdir(exist_ok=True)
    described = yaml.safe_load(action.read_text(encoding="utf-8"))
    names = {"github.action_path": str(action.resolve().parent)}
    names.update({f"inputs.{name}": given.get("default", "") for name, given in described["inputs"].items()})

    def filled(text):
        return re.sub(r"\$\{\{\s*([\w.]+)\s*\}\}", lambda found: names[found.group(1)], str(text))

    for step in described["runs"]["steps"]:
        extra = {name: filled(value) for name, value in step.get("env", {}).items()}
        words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", filled(step["run"])]
        status = subprocess.run(words, env={**os.environ, **extra, "RUNNER_TEMP": str(temporary)}).returncode
        if status:
            sys.exit(status)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
