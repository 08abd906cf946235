"""Lays out README, rules and the rest for mkdocs: python .ci/site.py FOLDER, then mkdocs build --strict -f FOLDER/mkdocs.yml."""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = "https://github.com/unleak/unleak/blob/main/"


def main(folder):
    docs = folder / "docs"
    pages = {"index.md": "README.md", "CONTRIBUTING.md": "CONTRIBUTING.md", "CHANGELOG.md": "CHANGELOG.md"}
    rules = sorted(path.name for path in (ROOT / "rules").glob("LK*.md"))
    pages.update({f"rules/{name}": f"rules/{name}" for name in rules})
    for page, source in pages.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        target = docs / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(links(headed(text), source, set(pages.values())), encoding="utf-8")
    # A file of JSON is one of YAML.
    navigation = [{"unleak": "index.md"}, {"Rules": [f"rules/{name}" for name in rules]}]
    navigation += [{"Contributing": "CONTRIBUTING.md"}, {"Changes": "CHANGELOG.md"}]
    settings = {"site_name": "unleak", "nav": navigation, "theme": {"name": "readthedocs"}}
    (folder / "mkdocs.yml").write_text(json.dumps(settings, indent=2), encoding="utf-8")


def headed(text):
    """A rule's front matter becomes its heading."""
    found = re.match(r"---\ncode: (\S+)\nname: (\S+)\ntitle: (.*)\n(?:.*\n)*?---\n", text)
    if not found:
        return text
    code, name, title = found.groups()
    return f"# {code} {name}\n\n{title[0].upper()}{title[1:]}.\n{text[found.end():]}"


def links(text, source, pages):
    """What is no page of the site is read in the repository."""

    def link(found):
        target = found.group(1)
        if "://" in target or target.startswith("#"):
            return found.group(0)
        path = (pathlib.PurePosixPath(source).parent / target.split("#")[0]).as_posix()
        if path == "README.md":
            return f"]({target.replace('README.md', 'index.md')})"
        return found.group(0) if path in pages else f"]({SOURCES}{path})"

    return re.sub(r"\]\(([^)\s]+)\)", link, text)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
