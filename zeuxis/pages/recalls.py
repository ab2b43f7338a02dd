"""What a run recognises, class by class, for its page."""

from markupsafe import Markup

from zeuxis.pages.formats import percent, whole
from zeuxis.pages.page import fragment
from zeuxis.pages.read import mapping, numbers
from zeuxis.pages.run_folder import RunFolder


def section(found: RunFolder) -> Markup:
    """Empty where nothing was recognised."""
    rows = recall_rows(found)
    balanced = percent(found.recalls.get("balanced_accuracy"), 1)
    return fragment("recalls", recalls=rows, balanced=balanced) if rows else Markup("")


def recall_rows(found: RunFolder) -> list[tuple[str, str, str]]:
    """(class, share of its held-out pictures that is recognised, how many these are), for runs that tell classes."""
    named = mapping(found.run.get("spec")).get("classes")
    classes = named if isinstance(named, list) else []
    shares, counts = numbers(found.recalls.get("recalls")), numbers(found.recalls.get("pictures"))
    if not shares or len(shares) != len(classes) or len(counts) != len(classes):
        return []
    return [(str(c), percent(share, 1), whole(n)) for c, share, n in zip(classes, shares, counts, strict=True)]
