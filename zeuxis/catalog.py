"""The catalog: which recipes there are, found by file name and described without importing them.

A recipe is a file in the package's `recipes` folder, or an entry point of the group
`zeuxis.recipes` whose name is the name of its module. A module is imported when its
recipe is used, never to list it, so the words that only list stay light.
"""

import ast
import importlib
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from types import ModuleType
from typing import Any

from zeuxis.errors import BadInput, nearest

PACKAGE = "zeuxis.recipes"
GROUP = "zeuxis.recipes"
AUTO = "auto"
NO_FIELDS = f"`{AUTO}` takes no recipe's fields"
"""In the place of a recipe's name: the one that fits the pictures."""
_NOT_RECIPES = {"recipe"}


@dataclass(frozen=True)
class Entry:
    """Where one recipe lies: its module, the class (or "" for the only one there), its file, and who brings it."""

    name: str
    module: str
    attribute: str
    file: Path | None
    origin: str


def canonical(name: str) -> str:
    """The one spelling of a recipe's name: `wgan-gp`, `WGAN_GP` and `wgan_gp` are the same."""
    return name.strip().lower().replace("-", "_")


def names() -> list[str]:
    """Names of all recipes, sorted. Raises BadInput where two recipes share a name."""
    return sorted(entries())


def describe() -> dict[str, str]:
    """First docstring line by recipe name, sorted, read from the files' text."""
    return {name: first_line(entry.file) for name, entry in sorted(entries().items())}


def load(name: str) -> type[Any]:
    """The recipe class called `name`; its module is imported now.

    Raises BadInput for an unknown name (with the nearest known one), for a module with
    no recipe or several, and for a third party's module that cannot be imported.
    """
    known = entries()
    entry = known.get(canonical(name))
    if entry is None:
        raise BadInput(f"unknown recipe `{name}`", "", nearest(canonical(name), sorted(known)))
    module = _import(entry)
    base = importlib.import_module(f"{PACKAGE}.recipe").Recipe
    if entry.attribute:
        candidates = [getattr(module, entry.attribute, None)]
    else:
        candidates = [v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__]
    recipes = [v for v in candidates if isinstance(v, type) and issubclass(v, base) and v is not base]
    if len(recipes) != 1:
        have = "no recipe" if not recipes else "several recipes: " + ", ".join(v.__name__ for v in recipes)
        raise BadInput(f"`{entry.module}` holds {have}", str(entry.file or ""), "a module of a recipe holds one")
    return recipes[0]


def entries() -> dict[str, Entry]:
    """Every recipe by its name. Raises BadInput where two recipes share a name."""
    by_name: dict[str, Entry] = {}
    for entry in [*_own(), *_third_parties()]:
        other = by_name.get(entry.name)
        if other is not None:
            raise BadInput(
                f"two recipes are called `{entry.name}`", f"{other.origin} and {entry.origin}", "rename or remove one"
            )
        by_name[entry.name] = entry
    return by_name


def _own() -> list[Entry]:
    return [
        Entry(canonical(file.stem), f"{PACKAGE}.{file.stem}", "", file, str(file))
        for folder in _folders(PACKAGE)
        for file in sorted(folder.glob("*.py"))
        if not file.name.startswith("_") and file.stem not in _NOT_RECIPES
    ]


def _third_parties() -> list[Entry]:
    third_parties = []
    for point in metadata.entry_points(group=GROUP):
        name, last = canonical(point.name), point.module.rpartition(".")[2]
        brought_by = f"package {point.dist.name}" if point.dist else point.value
        if canonical(last) != name:
            raise BadInput(
                f"the entry point `{point.name}` names the module `{point.module}`",
                brought_by,
                "a recipe and its module bear the same name",
            )
        third_parties.append(Entry(name, point.module, point.attr, file_of(point.module), brought_by))
    return third_parties


def _folders(package: str) -> list[Path]:
    spec = util.find_spec(package)
    return [Path(p) for p in (spec.submodule_search_locations or [])] if spec else []


def file_of(module: str) -> Path | None:
    """The module's file, found without importing its parents, which may be heavy."""
    top, *rest = module.split(".")
    spec = util.find_spec(top)
    if spec is None:
        return None
    bases = [Path(p, *rest) for p in spec.submodule_search_locations or []]
    tries = [f for b in bases for f in (b.with_suffix(".py"), b / "__init__.py")] if rest else [Path(spec.origin or "")]
    return next((f for f in tries if f.is_file()), None)


def first_line(file: Path | None) -> str:
    """First docstring line of a module, else of its first class that has one; "" where there is none."""
    if file is None:
        return ""
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return ""
    documented: list[ast.Module | ast.ClassDef] = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef))]
    for node in documented:
        text = ast.get_docstring(node)
        if text:
            return text.splitlines()[0].strip()
    return ""


def _import(entry: Entry) -> ModuleType:
    try:
        return importlib.import_module(entry.module)
    except Exception as error:
        if entry.module.startswith(PACKAGE + "."):
            raise
        mend = "repair or uninstall that package"
        raise BadInput(f"the recipe `{entry.name}` cannot be imported: {error}", entry.origin, mend) from error
