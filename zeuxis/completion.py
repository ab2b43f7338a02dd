"""Shell completion: one script per shell, made from the words, their flags and the recipes."""

from collections.abc import Mapping, Sequence


def _bash(words: Mapping[str, str], flags: Mapping[str, Sequence[str]], recipes: Sequence[str]) -> str:
    cases = "\n".join(f'    {w}) words="{" ".join(f)}" ;;' for w, f in flags.items())
    return f"""_zeuxis() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words=""
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$current")); return; fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  if [ "${{COMP_WORDS[1]}}" = train ] && [ "$COMP_CWORD" -eq 2 ]; then words="{" ".join(recipes)}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}}
complete -o filenames -F _zeuxis zeuxis"""


def _zsh(words: Mapping[str, str], flags: Mapping[str, Sequence[str]], recipes: Sequence[str]) -> str:
    return "autoload -U +X bashcompinit && bashcompinit\n" + _bash(words, flags, recipes)


def _fish(words: Mapping[str, str], flags: Mapping[str, Sequence[str]], recipes: Sequence[str]) -> str:
    lines = [f"complete -c zeuxis -n __fish_use_subcommand -a {w} -d '{about}'" for w, about in words.items()]
    for word, known in flags.items():
        lines += [f"complete -c zeuxis -n '__fish_seen_subcommand_from {word}' -l {f[2:]}" for f in known]
    lines.append(f"complete -c zeuxis -n '__fish_seen_subcommand_from train' -a '{' '.join(recipes)}'")
    return "\n".join(lines)


def script(shell: str, words: Mapping[str, str], flags: Mapping[str, Sequence[str]], recipes: Sequence[str]) -> str:
    """The script for "bash", "zsh" or "fish"."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](words, flags, recipes)
