"""Pictures of a generator that was trained on the repeat's own training pictures."""

from zeuxis.data.memory import MemoryDataset
from zeuxis.jobs.study.place import Place
from zeuxis.jobs.study.repeat_jobs import read_pool
from zeuxis.jobs.study.treatment import Treatment


def _pool(place: Place, r: int, drawn: dict[str, list[int]]) -> MemoryDataset:
    images, labels = read_pool(place, r)
    return MemoryDataset(images, labels.numpy(), place.dataset.spec.classes)


TREATMENT = Treatment("the generated pictures", _pool, generates=True)
