"""Real pictures that the repeat did not draw, by labels that its rival guesses: what unlabelled ones alone give."""

from zeuxis.jobs.study.guessing import guessed
from zeuxis.jobs.study.treatment import Treatment

TREATMENT = Treatment("the other pictures with guessed labels", guessed, undrawn=True)
