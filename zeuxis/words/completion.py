"""Print shell completion for bash, zsh or fish."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from zeuxis.parameters import Arg
from zeuxis.word import Answer, word


def _answer(script: str, given: Mapping[str, Any]) -> Answer:
    return Answer(script, {"shell": given["shell"], "script": script})


@word(_answer, "zeuxis completion bash")
def completion(shell: Annotated[Literal["bash", "zsh", "fish"], Arg("the shell")]) -> str:
    """The script that makes a shell complete words, flags and what they take."""
    from zeuxis.completing import script

    return script(shell)
