"""The column of a table that names files, by its spellings."""

import re

FILES = ("file", "file_name", "filename", "file_path", "filepath", "path", "image", "image_path", "image_name", "img")


def names_files(head: bytes) -> bool:
    """Whether a table that begins so has such a column."""
    first = head.replace(b"\0", b"").decode("utf-8", "replace").lstrip().partition("\n")[0]
    return bool(set(re.split(r"[^a-z_]+", first.lower())) & set(FILES))
