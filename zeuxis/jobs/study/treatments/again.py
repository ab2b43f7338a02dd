"""The rival once more with another seed: the study must find no difference."""

from zeuxis.jobs.study.treatment import Treatment

TREATMENT = Treatment("training again with another seed", seed="again")
