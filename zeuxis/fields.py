"""Fields of a recipe, read from the text of its file, so that help and flags load nothing heavy."""

import ast
import dataclasses
import io
import operator
import tokenize
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Optional, Union

from zeuxis import catalog

BASE = ("zeuxis.recipes.recipe", "Recipe")
_TYPES: dict[str, Any] = {t.__name__: t for t in (int, float, str, bool, bytes, tuple, list, dict, set, frozenset)}
_TYPING: dict[str, Any] = {
    "Annotated": Annotated,
    "Any": Any,
    "ClassVar": ClassVar,
    "Literal": Literal,
    "Optional": Optional,
    "Union": Union,
}
_SUMS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
    ast.BitOr: operator.or_,
    ast.LShift: operator.lshift,
}


@dataclass(frozen=True)
class Field:
    """One setting: hint is its type without what annotates it; source is what the comment beside it says."""

    name: str
    hint: Any
    default: Any
    source: str = ""


@dataclass(frozen=True)
class Fields:
    """The settings of a recipe in order, and the names of its presets."""

    fields: tuple[Field, ...]
    presets: tuple[str, ...] = ()


class _Unclear(Exception):
    """What the text says cannot be told without running it."""


def fields_of(name: str) -> Fields:
    """The fields of the recipe called `name`, imported only where its text does not tell them. Raises BadInput."""
    entry = catalog.entries().get(catalog.canonical(name))
    try:
        if entry is None or entry.file is None:
            raise _Unclear
        module = _Module(entry.module, entry.file)
        return _read(module, module.recipe(entry.attribute))
    except (_Unclear, OSError, SyntaxError, ValueError, TypeError):
        return of_class(catalog.load(name))


def of_class(cls: type[Any]) -> Fields:
    """The same of a class that is imported. The comments are left out where its source code is."""
    hints, sources = typing.get_type_hints(cls), _sources(cls)
    fields = [Field(f.name, hints[f.name], f.default, sources.get(f.name, "")) for f in dataclasses.fields(cls)]
    return Fields(tuple(fields), tuple(cls.presets))


def _sources(cls: type) -> dict[str, str]:
    import inspect
    import textwrap

    sources: dict[str, str] = {}
    for base in reversed(cls.__mro__[:-1]):
        try:
            text = textwrap.dedent(inspect.getsource(base))
            body = next(node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
            sources |= dict(_beside(body, _comments(text)))
        except (OSError, TypeError, SyntaxError, StopIteration, tokenize.TokenError):
            continue
    return sources


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _comments(text: str) -> dict[int, str]:
    """Comments by line."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {t.start[0]: t.string.strip("# ") for t in tokens if t.type == tokenize.COMMENT}


def _beside(cls: ast.ClassDef, comments: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    for name, node in _annotated(cls):
        if (line := node.end_lineno or 0) in comments:
            yield name, comments[line]


def _annotated(cls: ast.ClassDef) -> Iterator[tuple[str, ast.AnnAssign]]:
    for node in cls.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node


# ------------------------------------------------------------------ without running anything


class _Module:
    """The text of a module: its classes, its assignments, and where its other names come from."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self.text = name, file.read_text(encoding="utf-8")
        tree = _parsed(self.text)
        self.classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        self.values: dict[str, ast.expr] = {}
        self.imported: dict[str, tuple[str, str]] = {}
        for node in tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                self.values[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                self.values[node.target.id] = node.value
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self.imported |= {a.asname or a.name: (node.module, a.name) for a in node.names}

    def recipe(self, attribute: str) -> str:
        """The class that is a recipe. Raises _Unclear where there is none, or more than one."""
        names = [attribute] if attribute else [name for name in self.classes if self._is_recipe(name)]
        if len(names) != 1 or names[0] not in self.classes:
            raise _Unclear
        return names[0]

    def _is_recipe(self, name: str) -> bool:
        try:
            return any(base == BASE or base[0]._is_recipe(base[1]) for base in self.bases(name))
        except _Unclear:
            return False

    def bases(self, name: str) -> "list[Any]":
        """(module, class) of every base, or BASE itself. Raises _Unclear."""
        return [self._found(node.id if isinstance(node, ast.Name) else "") for node in self.classes[name].bases]

    def _found(self, name: str) -> "tuple[_Module, str] | tuple[str, str]":
        if name in self.classes:
            return self, name
        origin = self.imported.get(name)
        if origin is None:
            raise _Unclear
        return BASE if origin == BASE else (_opened(origin[0]), origin[1])

    def value(self, node: ast.expr) -> Any:
        """What an expression of plain values and types comes to. Raises _Unclear."""
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return self.named(name)
            case ast.Tuple(elts=parts):
                return tuple(self.value(part) for part in parts)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self.value(inner)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _SUMS:
                return _SUMS[type(op)](self.value(left), self.value(right))
            case ast.Attribute(value=ast.Name(id="typing"), attr=name) if name in _TYPING:
                return _TYPING[name]
            case ast.Subscript(value=of, slice=inner):
                return self._subscripted(self.value(of), inner)
        raise _Unclear

    def _subscripted(self, of: Any, inner: ast.expr) -> Any:
        """`of[inner]`; what annotates a type is left out, since it may be anything."""
        if of is Annotated:
            return self.hint(inner.elts[0] if isinstance(inner, ast.Tuple) else inner)
        if of is Literal:
            return of[self.value(inner)]
        parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        hints = tuple(self.hint(part) for part in parts)
        return of[hints if len(hints) > 1 else hints[0]]

    def hint(self, node: ast.expr) -> Any:
        """A type. Raises _Unclear."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self.hint(ast.parse(node.value, mode="eval").body)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            return reduce(operator.or_, (self.hint(node.left), self.hint(node.right)))
        return self.value(node)

    def named(self, name: str) -> Any:
        if name in self.values:
            return self.value(self.values[name])
        if name in self.imported:
            module, attribute = self.imported[name]
            return (
                _TYPING[attribute] if module == "typing" and attribute in _TYPING else _opened(module).named(attribute)
            )
        if name in _TYPES:
            return _TYPES[name]
        raise _Unclear


def _opened(module: str) -> _Module:
    file = catalog.file_of(module)
    if file is None:
        raise _Unclear
    return _Module(module, file)


def _read(module: _Module, name: str) -> Fields:
    """The fields of a dataclass, those of its base first. Raises _Unclear."""
    node = module.classes[name]
    bases = module.bases(name)
    if len(bases) != 1 or not any("dataclass" in ast.unparse(d) for d in node.decorator_list):
        raise _Unclear
    above = Fields(()) if bases[0] == BASE else _read(*bases[0])
    fields, presets = {f.name: f for f in above.fields}, above.presets
    sources = dict(_beside(node, _comments(module.text)))
    for field, given in _annotated(node):
        if ast.unparse(given.annotation).startswith(("ClassVar", "typing.ClassVar")):
            presets = _keys(given.value) if field == "presets" else presets
        else:
            source = sources.get(field, fields[field].source if field in fields else "")
            fields[field] = Field(field, module.hint(given.annotation), _default(module, given.value), source)
    return Fields(tuple(fields.values()), presets)


def _default(module: _Module, node: ast.expr | None) -> Any:
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "field":
        node = next((k.value for k in node.keywords if k.arg == "default"), None)
    if node is None:
        raise _Unclear
    return module.value(node)


def _keys(node: ast.expr | None) -> tuple[str, ...]:
    if not isinstance(node, ast.Dict):
        raise _Unclear
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    if len(keys) != len(node.keys):
        raise _Unclear
    return tuple(keys)
