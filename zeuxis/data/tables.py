"""Sources that are a table: CSV and JSONL."""

import csv
import glob
import io
import json
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from zeuxis.data import listed_origin
from zeuxis.data.file_column import FILES
from zeuxis.data.listing import Entry, Listing, Skipped, joined_names, named, path_opener
from zeuxis.data.numbers import equal, joined_words, one_name
from zeuxis.data.parts import part_name
from zeuxis.data.trees import BY_RULE, Where, alike_in_case, one_part
from zeuxis.errors import BadInput, counted, nearest, one_line


def text_of(path: Path) -> str:
    """The text of a table, UTF-8 or, where it begins as such, UTF-16. Raises BadInput."""
    try:
        data = path.read_bytes()
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput("this table is not text in UTF-8", str(path), "save it as UTF-8") from error
    except OSError as error:
        raise BadInput(f"this table cannot be read: {error.strerror}", str(path)) from error


@dataclass
class Rows:
    """The rows of a table as words by column, each with its place, and those that are none.

    nested: the columns in which a list or an object stands, each with the place of the first; short: words on the rows
    that end before the last column, by place; spaced: in how many rows spaces were cut from a column's value.
    """

    columns: list[str]
    rows: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    skipped: Skipped = field(default_factory=list)
    nested: dict[str, str] = field(default_factory=dict)
    short: dict[str, str] = field(default_factory=dict)
    spaced: Counter[str] = field(default_factory=Counter)

    def cut(self, record: Iterable[tuple[str, str]]) -> dict[str, str]:
        """The values of a row without spaces around them, those that are empty left out."""
        values = {}
        for name, value in record:
            if word := value.strip():
                values[name] = word
                self.spaced[name] += word != value
        return values


def _check_names(names: Iterable[str], where: str) -> None:
    """Raises BadInput where two columns have one name: which of them is meant cannot be known."""
    twice = [name for name, n in Counter(names).items() if n > 1 and name]
    if twice:
        raise BadInput(f"two columns are called `{one_line(twice[0])}`", where, "rename or remove one of them")


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it is written, with names that stand there twice."""


def _rows_of_csv(path: Path) -> Rows:
    text = text_of(path)
    first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    match = re.fullmatch(r"sep=(.)", first.strip(), re.IGNORECASE)  # the first line that Excel writes and reads
    if match:
        text = text[len(first) :].lstrip("\r\n")
        first = re.split(r"[\r\n]", text, maxsplit=1)[0]
    delimiter = match[1] if match else max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True)
    try:
        table = Rows([name.strip().lower() for name in reader.fieldnames or ()])
        _check_names(table.columns, str(path))
        reader.fieldnames = table.columns
        for record in reader:
            beyond = [cell for cell in record.get(None, ()) if cell.strip()]
            if beyond:
                cells = f"{counted(len(record[None]) + len(table.columns), 'cell')}, the header {len(table.columns)}"
                more = ", ".join(f"`{one_line(cell)}`" for cell in beyond[:3]) + ", ..." * (len(beyond) > 3)
                raise BadInput(
                    f"line {reader.line_num} has {cells}: {more} too many",
                    str(path),
                    f"remove what is too many, or put quotes around a text that holds `{one_line(delimiter)}`",
                )
            if lacking := sum(cell is None for cell in record.values()):
                have = f"{len(table.columns) - lacking} of {counted(len(table.columns), 'cell')}"
                table.short[f"line {reader.line_num}"] = f": line {reader.line_num} ends after {have}"
            pairs = ((k, v) for k, v in record.items() if isinstance(k, str) and isinstance(v, str))
            table.rows.append((f"line {reader.line_num}", table.cut(pairs)))
    except csv.Error as error:
        raise BadInput(f"this table cannot be read: {error}", str(path)) from error
    return table


def _rows_of_jsonl(path: Path) -> Rows:
    columns: dict[str, None] = {}
    table = Rows([])
    for number, line in enumerate(text_of(path).split("\n"), 1):  # other line ends may stand in a JSON string
        if not line.strip():
            continue
        try:
            record = json.loads(line, object_pairs_hook=_Pairs)
        except ValueError as error:
            table.skipped.append((f"line {number}", f"is no JSON: {' '.join(str(error).split())}"))
            continue
        if not isinstance(record, _Pairs):
            table.skipped.append((f"line {number}", "is no JSON object"))
            continue
        pairs = [(key.strip().lower(), value) for key, value in record]
        _check_names((key for key, _ in pairs), f"{path}, line {number}")
        columns |= dict.fromkeys(key for key, _ in pairs)
        for key, value in pairs:
            if isinstance(value, list):
                table.nested.setdefault(key, f"line {number}")
        table.rows.append((f"line {number}", table.cut((key, _word(value)) for key, value in pairs)))
    return replace(table, columns=list(columns))


def _word(value: Any) -> str:
    """A value of JSON as a word, "" where it is none: true and false, numbers and text are."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else ""


_READERS = {".csv": _rows_of_csv, ".tsv": _rows_of_csv, ".jsonl": _rows_of_jsonl, ".ndjson": _rows_of_jsonl}


def is_table(path: Path) -> bool:
    return path.suffix.lower() in _READERS


def names_partners(path: Path) -> bool:
    """Whether the column `target` of a table names a picture beside it. Raises BadInput where it cannot be read."""
    table = _READERS[path.suffix.lower()](path)
    first = next((row[PARTNER] for _, row in table.rows if PARTNER in row), "")
    return bool(first) and on_disk(path.parent / first.replace("\\", "/")) is not None


# ------------------------------------------------------------------ columns

_LOOKED_FOR = 20
_MISSING = {"nan", "none", "null", "n/a", "<na>", "nil"}
"""What programs write where a value is missing."""
_LABELS = ("label", "class", "category", "class_name", "label_name", "target")
PARTNER = "target"  # the column that names the partner of each `file`, where a table is read as pairs
_GROUPS = {"patient", "subject", "group", "id", "scene", "person", "case", "slide", "session", "site"}
_DIVISIONS = {"split", "part", "fold", "set", "subset", "partition", "usage"}


@dataclass(frozen=True)
class Columns:
    """Which columns tell what; None where none does. test: the value whose rows are the test part, all others train."""

    file: str
    label: str | None
    group: str | None
    part: str | None
    test: str | None = None


def _told(value: int | str | None, flag: str, table: Rows, rule: str | None) -> str | None:
    """The column that a flag names, else that of the rule. Raises BadInput where there is none such."""
    if value is None:
        return rule
    if value == 0 and flag != "--group-at":
        return None
    name = str(value).strip().lower()
    if name not in table.columns:
        raise BadInput(f"this table has no column `{value}`", flag, nearest(name, [c for c in table.columns if c]))
    return name


def columns_of(table: Rows, where: Where, path: Path) -> Columns:
    """Which columns are read. Raises BadInput where none names the files, or a flag names one that is not there."""
    files = [name for name in FILES if name in table.columns]
    if where.files and PARTNER not in table.columns:
        raise BadInput(f"the first line has no column `{PARTNER}`", str(path), "begin with the line file,target")
    if not files:
        raise BadInput("the first line has no column `file`", str(path), "begin with the line file,label")
    given, equals, test = str(where.parts).partition("=") if isinstance(where.parts, str) else (where.parts, "", "")
    label = next((name for name in _LABELS if name in table.columns and name != files[0]), None)
    return Columns(
        files[0],
        _told(where.classes, "--classes-at", table, label if where.labels else None),
        _told(where.groups, "--group-at", table, "group" if "group" in table.columns else None),
        _told(given, "--part-at", table, "part" if "part" in table.columns else None),
        test.strip() if equals else None,
    )


def _column_words(table: Rows, used: Columns, pairs: bool) -> list[str]:
    """A line on each column that is read by a name of its own, and on each that is not read."""
    lines = [
        f"the column `{name}` is read as {what}"
        for name, what, plain in ((used.file, "the file", "file"), (used.label, "the label", "label"))
        if name not in (None, plain)
    ]
    read = (used.file, used.label, used.group, used.part, PARTNER if pairs else used.file)
    left = [name for name in table.columns if name not in read]
    values = {name: [row.get(name, "") for _, row in table.rows] for name in left}
    hot = [name for name in left if set(values[name]) <= {"0", "1", "0.0", "1.0"} and len(set(values[name])) > 1]
    if used.label is None and len(hot) > 1 and {sum(map(float, row)) for row in _across(values, hot)} == {1.0}:
        names = ", ".join(f"`{name}`" for name in hot)
        lines.append(f"the columns {names} hold a 1 for the class; they are not read: write one column `label`")
        left = [name for name in left if name not in hot]
    for name in left:
        words = set(re.split(r"[^a-z]+", name))
        again = len(set(values[name])) < len(values[name])
        way = _as_parts(name, values[name]) if words & _DIVISIONS else ""
        if words & _GROUPS and again:
            way = f"; `--group-at {name}` keeps pictures of one {name} together"
        if name in _LABELS and used.label is None:
            way = f"; `--classes-at {name}` makes it the label"
        lines.append(f"the column `{name}` is not read{way}" if name else "a column without a name is not read")
    return lines


def _as_parts(name: str, values: list[str]) -> str:
    """How a column that divides the rows is read; folds have no names of parts, so one of them is held out."""
    known = [value for value in dict.fromkeys(values) if value.strip()]
    odd = next((value.strip() for value in known if part_name(value.strip()) is None), None)
    if odd is None:
        return f"; `--part-at {name}` makes it the parts"
    return f"; `--part-at {name}={odd}` makes the rows with `{odd}` the test part"


def _check_words(table: Rows, used: Columns, where: Where, path: Path) -> None:
    """Raises BadInput where a column that is read holds a list or an object, which is no class, group, part or file."""
    for name in (used.file, used.label, used.group, used.part, PARTNER if where.files else used.file):
        if name in table.nested:
            what = f"a list or an object stands in the column `{name}`"
            way = "; `--classes-at 0` reads no labels" if name == used.label else ""
            raise BadInput(what, f"{path}, {table.nested[name]}", f"write one word or number in each row{way}")


def _spelling_words(table: Rows, used: Columns) -> list[str]:
    """A line on each column in which spaces are cut, and one on backslashes in names of files."""
    read = [name for name in (used.file, used.label, used.group, used.part) if name]
    lines = [
        f"spaces around the value are cut in {counted(table.spaced[name], 'row')} of the column `{name}`"
        for name in read
        if table.spaced[name]
    ]
    turned = sum("\\" in row.get(used.file, "") for _, row in table.rows)
    return lines + ([f"`\\` in the names of {counted(turned, 'file')} is read as `/`"] if turned else [])


def _across(values: dict[str, list[str]], names: list[str]) -> Iterator[tuple[str, ...]]:
    return zip(*(values[name] for name in names), strict=True)


# ------------------------------------------------------------------ rows


def on_disk(path: Path) -> Path | None:
    """The file, its name in whatever Unicode form it has there; None where there is none."""
    forms = (path, *(Path(unicodedata.normalize(form, str(path))) for form in ("NFC", "NFD")))
    return next((form for form in forms if form.is_file()), None)


def _meant(folder: Path, file: str, skipped_count: int) -> str:
    """The name with an ending that the table left away, where there is one; looked for in the first rows alone."""
    whole = folder / file.replace("\\", "/")
    match = (
        next(iter(sorted(whole.parent.glob(f"{glob.escape(whole.name)}.*"))), None)
        if skipped_count < _LOOKED_FOR
        else None
    )
    return f", but {match.name} does: write whole names" if match else ""


def from_table(path: Path, where: Where = BY_RULE) -> Listing:
    """The pictures that a CSV or JSONL file names, by the columns that `columns_of` finds.

    Rows that cannot be used are skipped with a reason; what is not read is told in the listing's remarks. Raises
    BadInput for a table without rows, a part that is none, and a file with two labels, groups or parts.
    """
    table = _READERS[path.suffix.lower()](path)
    why = f": {table.skipped[0][0]}, {table.skipped[0][1]}" if table.skipped else ""
    nothing = BadInput(f"this table names no picture{why}", str(path), "write a line `file,label` per picture")
    if why and not table.rows:
        raise nothing
    used = columns_of(table, where, path)
    if not table.rows:
        raise nothing
    _check_words(table, used, where, path)
    shows = PARTNER if where.files == PARTNER else used.file
    skipped = list(table.skipped)
    remarks = _column_words(table, used, bool(where.files)) + _spelling_words(table, used)
    labels, joined = _numbers(table, used.label, "class")
    groups, together = _numbers(table, used.group, "group")
    joined += together
    parts = _parts_of(table, used, path, remarks)
    labelled = any(used.label in row for _, row in table.rows)
    kinds: dict[Path, dict[Path, str]] = {}
    entries: dict[str, Entry] = {}
    again, unlabelled = 0, 0
    for (line, row), part in zip(table.rows, parts, strict=True):
        file, label, group = (row.get(name) if name else None for name in (used.file, used.label, used.group))
        if file is None:
            skipped.append((line, "names no file" + table.short.get(line, "")))
        elif part == "unlabelled":
            unlabelled += 1
        elif labelled and label is None:
            skipped.append((one_line(file), "has no label" + table.short.get(line, "")))
        elif (shown := row.get(shows)) is None:
            skipped.append((one_line(file), f"has no {shows}" + table.short.get(line, "")))
        elif (target := on_disk(path.parent / shown.replace("\\", "/"))) is None:
            skipped.append((one_line(shown), "does not exist" + _meant(path.parent, shown, len(skipped))))
        else:
            label, group = named(labels.get(label or "", label)), named(groups.get(group or "", group))
            entry = Entry(one_line(file), path_opener(target), label, group, part, _kind_of(target, kinds))
            key = path.parent / file.replace("\\", "/") if where.files else target  # partners may be shared
            again += _seen(entries, entry, os.path.normpath(key), path)
    if again:
        remarks.append(f"{counted(again, 'row')} for a picture that was named before: it counts once")
    if unlabelled:
        remarks.append(f"left out: {counted(unlabelled, 'row')} of an unlabelled part")
    alone = sum(entry.group is None for entry in entries.values())
    if 0 < alone < len(entries) and used.group is not None:
        remarks.append(
            f"{counted(alone, 'picture')} without a `{used.group}`: nothing but copies is kept together there"
        )
    classes = {entry.label for entry in entries.values()}
    joined += alike_in_case(classes)
    joined += [f"`{name}` is read as a class" for name in sorted(c for c in classes if c and c.casefold() in _MISSING)]
    for name in (used.label, used.group):
        joined += joined_names(row.get(name) for _, row in table.rows) if name else []
    return Listing(list(entries.values()), skipped, remarks=[one_line(line) for line in remarks + joined])


def _kind_of(file: Path, known: dict[Path, dict[Path, str]]) -> str:
    """What a list in the folder of a file, or in the one above it, says of it. known: takes what the lists say."""
    for folder in file.parents[:2]:
        if folder not in known:
            known[folder] = listed_origin.kinds_in((folder / name for name in listed_origin.NAMES), Path.read_bytes)
        if kind := known[folder].get(file.with_suffix("")):
            return kind
    return ""


def _numbers(table: Rows, column: str | None, what: str) -> tuple[dict[str, str], list[str]]:
    """One name for each number in a column, by its other spellings, and a line on those that were joined."""
    names, joined = one_name((row[column] for _, row in table.rows if column in row) if column else (), whole=True)
    return names, joined_words(joined, what)


def _seen(entries: dict[str, Entry], entry: Entry, key: str, table: Path) -> bool:
    """Whether the file was named before; else it is taken. Raises BadInput where the two rows differ."""
    before = entries.setdefault(key, entry)
    for what in ("label", "group", "part"):
        one, other = getattr(before, what), getattr(entry, what)
        if one != other:
            two = f"the {what}s `{one}` and `{other}`"
            raise BadInput(f"{entry.name} has {two}", str(table), "keep one row for each picture")
    return before is not entry


def _parts_of(table: Rows, used: Columns, path: Path, remarks: list[str]) -> list[str | None]:
    """The part of each row, None where the table is not divided. Raises BadInput where a row names none, or no part."""
    if used.part is None:
        return [None] * len(table.rows)
    values = [row.get(used.part) for _, row in table.rows]
    if used.test is not None:
        chosen = [value is not None and equal(value, used.test) for value in values]
        if not any(chosen):
            raise BadInput(f"no row has `{used.test}` in the column `{used.part}`", "--part-at", "give a value it has")
        return ["test" if one else "train" for one in chosen]
    lacking = [row[used.file] for _, row in table.rows if used.file in row and used.part not in row]
    if len(lacking) == sum(used.file in row for _, row in table.rows):
        remarks.append(f"no row names a part in the column `{used.part}`")
        return [None] * len(values)
    if lacking:
        raise BadInput(
            f"{counted(len(lacking), 'row')} without a part in the column `{used.part}`, which divides the others",
            f"{path}, {one_line(lacking[0])}",
            "write train, val or test in each, or read no parts with `--part-at 0`",
        )
    known = {value: part_name(value) for value in values if value}
    odd = [value for value, part in known.items() if part is None]
    if odd:
        raise BadInput(
            f"`{odd[0]}` in the column `{used.part}` is no part",
            "",
            f"parts are train, val and test; `--part-at {used.part}={odd[0]}` makes those rows the test part",
        )
    parts = [part[0] if value and (part := known[value]) else None for value in values]
    remarks += one_part(zip(parts, values, strict=True), f"in the column `{used.part}`")
    return parts
