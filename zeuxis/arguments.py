"""Arguments of a Python call: every one is brought to its annotation, or refused by its name."""

import math
import operator
import os
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from zeuxis.errors import BadInput, WrongType, nearest
from zeuxis.parameters import AtLeast, Foreign, OneOf, Words


class _Other(Exception):
    """The value is not of this type."""


def _whole(value: Any) -> int:
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        raise _Other
    try:
        return operator.index(value)
    except TypeError:
        raise _Other from None


def _number(value: Any) -> float:
    if isinstance(value, bool | str | bytes | complex) or not hasattr(type(value), "__float__"):
        raise _Other
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):  # an array or tensor of several numbers
        raise _Other from None


def _switch(value: Any) -> bool:
    if not isinstance(value, bool) and type(value).__module__ != "numpy":
        raise _Other
    try:
        return {True: True, False: False}[value]
    except (KeyError, TypeError, ValueError):
        raise _Other from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Other
    return str(value)


def _path(value: Any) -> Path:
    if not isinstance(value, os.PathLike) or not isinstance(os.fspath(value), str):
        raise _Other
    return Path(value)


def _bytes(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise _Other
    return bytes(value)


_PLAIN: dict[Any, Callable[[Any], Any]] = {
    int: _whole,
    float: _number,
    bool: _switch,
    str: _text,
    Path: _path,
    bytes: _bytes,
}
_CALLED = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
    Path: "a path",
    bytes: "bytes",
    types.NoneType: "None",
}


def _fitted(value: Any, hint: Any) -> Any:
    """The value as `hint` has it. Raises _Other."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin is Annotated:
        return _annotated(value, inner[0], inner[1:])
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, inner)
    if origin is Literal:
        same = [choice for choice in inner if _equals(value, choice)]
        if not same:
            raise _Other
        return same[0]
    if hint is types.NoneType:
        if value is not None:
            raise _Other
        return None
    if origin in (tuple, Sequence):
        return _several(value, inner)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise _Other
        return dict(value)
    return _PLAIN[hint](value)


def _equals(value: Any, choice: Any) -> bool:
    try:
        return bool(_PLAIN[type(choice)](value) == choice)
    except _Other:
        return False


def _annotated(value: Any, base: Any, marks: Sequence[Any]) -> Any:
    for mark in marks:
        if isinstance(mark, Foreign) and _names(type(value)) & set(mark.names):
            return str(value) if mark.as_text else value
    converted = _fitted(value, base)
    for mark in marks:
        if isinstance(mark, AtLeast) and converted < mark.least:
            raise BadInput(f"must be {mark.least} or more, not {converted}")
        if isinstance(mark, OneOf) and converted not in mark.names:
            raise BadInput(f"cannot be {converted[:80]!r}", "", nearest(converted, list(mark.names)))
    return converted


def _names(cls: type) -> set[str]:
    """A class and its bases as they are imported: numpy.ndarray, PIL.Image.Image."""
    return {f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__}


def _one_of(value: Any, hints: Sequence[Any]) -> Any:
    for hint in hints:
        try:
            return _fitted(value, hint)
        except _Other:
            continue
    raise _Other


def _several(value: Any, inner: Sequence[Any]) -> tuple[Any, ...]:
    """A list, tuple, range or array with a value for each of `inner`, or with any number of the one before `...`."""
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__len__") or not hasattr(value, "__getitem__"):
        raise _Other
    items = list(value)
    hints = [inner[0]] * len(items) if len(inner) == 1 or inner[1] is ... else inner
    if len(items) != len(hints):
        raise _Other
    return tuple(_fitted(item, hint) for item, hint in zip(items, hints, strict=True))


def _called(hint: Any) -> str:
    """A type in words."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        own = [m.words for m in inner[1:] if isinstance(m, Words)]
        least = [f" of {m.least} or more" for m in inner[1:] if isinstance(m, AtLeast)]
        return own[0] if own else _called(inner[0]) + "".join(least)
    if origin in (typing.Union, types.UnionType):
        descriptions = [_called(x) for x in inner]
        return ", ".join(descriptions[:-1]) + f" or {descriptions[-1]}"
    if origin is Literal:
        return " or ".join(repr(x) for x in inner)
    if origin in (tuple, Sequence):
        return f"several, each {_called(inner[0])}"
    return "a mapping of names to values" if origin is Mapping else _CALLED.get(hint, str(hint))


def _mend_of(hint: Any) -> str:
    """What to do about a value of another type."""
    inner = get_args(hint)
    if get_origin(hint) is Annotated:
        return next((m.mend for m in inner[1:] if isinstance(m, Words)), "")
    return next((mend for x in inner if (mend := _mend_of(x))), "") if get_origin(hint) is not Literal else ""


def _checked(value: Any, hint: Any) -> None:
    """Raises BadInput for a number that is none, and for text that cannot be a name."""
    if isinstance(value, str) and not value and _takes_paths(hint):
        raise BadInput("must not be empty")
    if isinstance(value, int) and abs(value) >= 1 << 63:
        raise BadInput("is too large")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"must be a finite number, not {value}")
    if isinstance(value, str | Path):
        text = str(value)
        if any(0xD800 <= ord(c) < 0xE000 for c in text) or "\0" in text:
            raise BadInput(f"is not valid UTF-8: {ascii(text)}")


def _takes_paths(hint: Any) -> bool:
    return hint is Path or (get_origin(hint) is not Literal and any(_takes_paths(x) for x in get_args(hint)))


def _choices(hint: Any) -> tuple[Any, ...]:
    """The values that a hint lists, where it lists any."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    inner = get_args(hint)[:1] if get_origin(hint) is Annotated else get_args(hint)
    return tuple(x for part in inner for x in _choices(part)) if get_origin(hint) is not Mapping else ()


def taken(name: str, value: Any, hint: Any) -> Any:
    """The value as its annotation has it. Raises WrongType, or BadInput for one out of its range, by its name."""
    try:
        converted = _fitted(value, hint)
        _checked(converted, hint)
    except _Other:
        shown = repr(value) if isinstance(value, str | int | float | complex | None) else type(value).__name__
        choices = _choices(hint)
        if any(isinstance(value, type(choice)) and not isinstance(value, bool) for choice in choices):
            raise BadInput(
                f"{name}= cannot be {shown[:80]}", "", nearest(str(value), [str(c) for c in choices])
            ) from None
        what = f"{name}= must be {_called(hint)}, not {shown[:80]}"
        raise WrongType(what, "", _mend_of(hint)) from None
    except BadInput as error:
        raise BadInput(f"{name}= {error.what}", "", error.mend) from None
    return converted


def taken_fields(recipe: type, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a recipe as its class has them; unknown ones stay, to be told of with the nearest known. As `taken`."""
    hints = typing.get_type_hints(recipe, include_extras=True)
    return {k: taken(k, v, hints[k]) if k in hints else v for k, v in settings.items()}
