"""What a run recognises, class by class, for its page."""

from markupsafe import Markup

from zeuxis.pages.formats import percent, whole
from zeuxis.pages.page import fragment
from zeuxis.pages.read import mapping, numbers
from zeuxis.pages.run_folder import RunFolder


def section(folder: RunFolder) -> Markup:
    """Empty where nothing was recognised."""
    rows = recall_rows(folder)
    balanced = percent(folder.recalls.get("balanced_accuracy"), 1)
    return fragment("recalls", recalls=rows, balanced=balanced) if rows else Markup("")


def recall_rows(folder: RunFolder) -> list[tuple[str, str, str]]:
    """(class, share of its held-out pictures that is recognised, how many these are), for runs that tell classes."""
    named = mapping(folder.run.get("spec")).get("classes")
    classes = named if isinstance(named, list) else []
    shares, counts = numbers(folder.recalls.get("recalls")), numbers(folder.recalls.get("pictures"))
    if not shares or len(shares) != len(classes) or len(counts) != len(classes):
        return []
    return [(str(c), percent(share, 1), whole(n)) for c, share, n in zip(classes, shares, counts, strict=True)]
