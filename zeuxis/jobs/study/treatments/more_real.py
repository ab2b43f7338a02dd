"""Real pictures that the repeat did not draw: a study that can see anything must see that they help."""

from zeuxis.data.memory import Subset
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.treatment import Treatment


def _extra(place: Place, r: int, drawn: dict[str, list[int]]) -> Subset:
    return Subset(place.dataset, drawn["extra"])


TREATMENT = Treatment(fill=_extra, needs=2)
