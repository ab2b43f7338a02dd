"""Shell completion: one script per shell, made from the words, their flags and what each flag takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from zeuxis import catalog, word
from zeuxis.fields import fields_of
from zeuxis.flags import parser_of


@dataclass(frozen=True)
class Takes:
    """What may follow a word (`restore`), or two (`train cgan`, `data show`).

    flags: each with the values that it takes, none where they are free; next: what the next place may hold.
    """

    flags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    next: Sequence[str] = ()


def _case(table: Mapping[str, Sequence[str]]) -> str:
    lines = [f'    "{key}") words="{" ".join(values)}" ;;' for key, values in table.items() if values]
    return "\n".join(lines)


def _bash(words: Mapping[str, str], takes: Mapping[str, Takes]) -> str:
    flags = {key: list(one.flags) for key, one in takes.items()}
    values = {f"{key} {flag}": given for key, one in takes.items() for flag, given in one.flags.items()}
    places = {f"{key} {len(key.split()) + 1}": one.next for key, one in takes.items()}
    return f"""_zeuxis() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD - 1]}}" words="" key="${{COMP_WORDS[1]}}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$current")); return; fi
  case "$key" in {"|".join(["train", *word.GROUPS])}) [ "$COMP_CWORD" -gt 2 ] && key="$key ${{COMP_WORDS[2]}}" ;; esac
  case "$key $before" in
{_case(values)}
  esac
  if [ -n "$words" ]; then COMPREPLY=($(compgen -W "$words" -- "$current")); return; fi
  case "$key $COMP_CWORD" in
{_case(places)}
  esac
  local places="$words"; words=""
  case "$key" in
{_case(flags)}
  esac
  COMPREPLY=($(compgen -W "$places $words" -- "$current") $(compgen -f -- "$current"))
}}
complete -o filenames -F _zeuxis zeuxis"""


def _zsh(words: Mapping[str, str], takes: Mapping[str, Takes]) -> str:
    return "autoload -U +X bashcompinit && bashcompinit\n" + _bash(words, takes)


def _fish(words: Mapping[str, str], takes: Mapping[str, Takes]) -> str:
    lines = [f"complete -c zeuxis -n __fish_use_subcommand -a {w} -d '{about}'" for w, about in words.items()]
    for key, one in takes.items():
        seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in key.split())
        if one.next:
            place = f"test (count (commandline -opc)) -eq {len(key.split()) + 1}"
            lines.append(f"complete -c zeuxis -n '{seen}; and {place}' -a '{' '.join(one.next)}'")
        for flag, values in one.flags.items():
            given = f" -x -a '{' '.join(values)}'" if values else ""
            lines.append(f"complete -c zeuxis -n '{seen}' -l {flag[2:]}{given}")
    return "\n".join(lines)


def _takes_of(name: str, recipe: str | None = None) -> Takes:
    """What may follow a word; of `train`, with the fields of a recipe."""
    parameters = word.parameters(name)
    offered = {p.name: p.arg.offered for p in parameters}
    flags: dict[str, Sequence[str]] = {}
    actions = parser_of(name, recipe)._actions
    for action in actions:
        values = [str(value) for value in action.choices or offered.get(action.dest, ())]
        flags |= {flag: values for flag in action.option_strings if flag.startswith("--")}
    if recipe is not None:
        flags["--preset"] = fields_of(recipe).presets
    places = [p for p in parameters if p.positional][recipe is not None :]
    choices = {a.dest: a.choices for a in actions if not a.option_strings}
    return Takes(flags, [str(v) for v in choices[places[0].name] or places[0].arg.offered] if places else [])


def all_takes() -> dict[str, Takes]:
    """What may follow each word, each word of a group and each recipe of `train`."""
    takes = {word.typed(name): _takes_of(name) for name in word.names()}
    takes["train"] = Takes(takes["train"].flags, [catalog.AUTO, *catalog.names()])
    takes |= {group: Takes({}, list(word.inside(group))) for group in word.GROUPS}
    return takes | {f"train {recipe}": _takes_of("train", recipe) for recipe in catalog.names()}


def script(shell: str) -> str:
    """The script for "bash", "zsh" or "fish"."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](word.heads(), all_takes())
