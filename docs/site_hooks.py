"""Hooks of MkDocs: the pages that the site has besides docs/, and links out of it."""

import os
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)")
METHODS = ("get", "post", "put", "patch", "delete")


def on_files(files, config):
    readme = (ROOT / "README.md").read_text()
    pages = {"index.md": from_root(readme), "rest.md": rest_reference()}
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    """Take links to files of the repository that are no pages for what they name."""
    return LINK.sub(lambda found: inside(found, files), markdown)


def inside(found, files):
    text, target = found.groups()
    path = target.partition("#")[0]
    outside = path.startswith("../") or path in ("LICENSE", "SECURITY.md")
    return f"{text} (`{path.removeprefix('../')}`)" if outside else found[0]


def from_root(text):
    """Make links of a file in the root those of a file in docs/."""

    def moved(found):
        target = found[2]
        if "://" in target:
            return found[0]
        inner = target.removeprefix("docs/")
        return f"{found[1]}({inner if inner != target else '../' + target})"

    return re.sub(r"(!?\[[^\]]*\])\(([^)\s]+)\)", moved, text)


def rest_reference():
    """Write a table of each resource from the description of the REST interface."""
    sections = defaultdict(list)
    for path, operations in schema()["paths"].items():
        for method in METHODS:
            if method in operations:
                row = operation_row(method, path, operations[method])
                sections[section_of(path)].append(row)
    parts = [HEAD]
    for name in sorted(sections):
        parts.append(f"## {name}\n\n| request | what | parameters | answers |")
        parts.append("|---|---|---|---|\n" + "\n".join(sections[name]) + "\n")
    return "\n".join(parts)


HEAD = """# REST reference

Every operation of version 1, from the OpenAPI description of this release. A console
has the same with all fields under *REST interface* in the user menu (`/api/v1/docs/`),
and the description itself at `/api/v1/schema/`. [Automation](automation.md) has the
conventions.
"""


def section_of(path):
    return path.removeprefix("/api/v1/").partition("/")[0]


def operation_row(method, path, operation):
    description = operation.get("description") or operation.get("summary") or ""
    first = " ".join(description.split("\n\n")[0].split()).replace("|", "\\|")
    names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
    query = ", ".join(f"`{name}`" for name in names)
    codes = ", ".join(sorted(operation["responses"]))
    short = path.removeprefix("/api/v1/")
    return f"| `{method.upper()} {short}` | {first} | {query} | {codes} |"


def schema():
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cupadmin.settings")
    os.environ.setdefault(
        "CUPADMIN_DATA_DIR", tempfile.mkdtemp(prefix="cupadmin-docs-")
    )
    import django

    django.setup()
    from drf_spectacular.generators import SchemaGenerator

    return SchemaGenerator().get_schema(public=True)
