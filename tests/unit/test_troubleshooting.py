"""What the page on troubleshooting quotes is what the commands say."""

import re


def test_every_message_that_is_quoted_is_in_the_code(project):
    """Three of its messages were never printed, so that nobody who searched the page for one found it."""
    page = (project / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r'^\| [^|"\n]*"([^"\n]+)"', page, re.MULTILINE)
    code = " ".join(path.read_text(encoding="utf-8") for path in (project / "zeuxis").rglob("*.py"))
    assert len(quoted) >= 5 and [words for words in quoted if words not in code] == []
