"""Real pictures with permuted labels: a study that can see anything must see that they hurt."""

from zeuxis.data.memory import MemoryDataset, Subset
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.repeat_jobs import shuffled
from zeuxis.jobs.study.treatment import Treatment


def _shuffled(place: Place, r: int, drawn: dict[str, list[int]]) -> MemoryDataset:
    return shuffled(place, r, Subset(place.dataset, drawn["extra"]))


TREATMENT = Treatment(fill=_shuffled, needs=2)
