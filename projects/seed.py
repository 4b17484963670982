"""The projects that a new shop starts with, from projects/data/projects.toml."""

from pathlib import Path

from projects.importing import ImportResult, import_projects

PROJECTS = Path(__file__).parent / "data" / "projects.toml"


def load_projects(*, adapter: str = "manual") -> ImportResult:
    """Add the projects that are missing; the markets come first. Rows that exist stay as staff set them.

    `adapter` is how the registries retire: `sandbox` in a demonstration, `manual` in a shop that sells.
    """
    return import_projects(PROJECTS.read_text(encoding="utf-8"), adapter=adapter, only_new=True)
