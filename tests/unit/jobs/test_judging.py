"""What the held-out figures of a run say: beyond chance or not, and whether they were better on the way."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from zeuxis.data.dataset import Spec
from zeuxis.engine.alarms import advice
from zeuxis.jobs import judging
from zeuxis.pages.outcome import Earlier, Outcome
from zeuxis.recipes.classifier import Classifier
from zeuxis.recipes.latentgan import LatentGAN
from zeuxis.recipes.recipe import Need, Yardstick, make
from zeuxis.recipes.vae import VAE
from zeuxis.spelling import in_flags

MEAN = Yardstick("psnr", "mean_picture", "giving back one mean picture for all")


def _looks(*figures, name="psnr"):
    return [{"images": 1000 * (i + 1), "score": {"score": f, name: f}} for i, f in enumerate(figures)]


def test_a_run_that_gets_worse_on_held_out_pictures_is_told_from_one_that_wavers():
    falls = _looks(11.84, 11.5, 11.2, 10.9, 10.6, 10.4, 10.2, 10.07)
    assert judging._earlier(falls, MEAN, 0.5) == Earlier(11.84, 1000)
    for calm in (_looks(10, 11, 12, 12.4, 12.3, 12.2), _looks(11.84, 10.0), _looks(12, 10, 9, 10, 11, 11.8)):
        assert judging._earlier(calm, MEAN, 0.5) is None
    game = [{"images": 1, "score": {"psnr": f}} for f in (12, 11, 10, 9, 8)]
    assert judging._earlier(game, MEAN, 0.5) is None


def test_a_classifier_that_was_clearly_better_before_is_told_where_it_is_kept(tmp_path):
    """What is clear hangs on how many pictures were held out; 88.7 % with 400 of them against 85 % is."""
    labels = np.repeat(np.arange(10), 40)
    looks = [
        {**look, "step": 10 * (i + 1)} for i, look in enumerate(_looks(0.8, 0.887, 0.86, 0.85, 0.85, 0.845, name="x"))
    ]
    yardstick = Yardstick("x", "", "guessing", "%", 0.01, chance=0.1)
    much = judging._much(yardstick, 0.887, labels)
    assert 0.02 < much < 0.04 and judging._much(MEAN, 12.0, None) == pytest.approx(5 * MEAN.least)
    assert judging._much(yardstick, 0.887, labels[::40]) == pytest.approx(0.05)
    assert judging._earlier(looks, yardstick, much) == Earlier(0.887, 2000, 20)
    assert judging._kept(tmp_path, generates=False) == ""
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "snapshots/best.safetensors").touch()
    assert judging._kept(tmp_path, generates=False) == "those weights are in snapshots/best.safetensors"
    assert judging._kept(tmp_path, generates=True) == "`zeuxis sample RUN --snapshot best` draws from those weights"


@pytest.mark.parametrize(
    ("images", "grade", "begins"),
    [(3_680, "poor", "Too early: after 3,680 images"), (14_752, "poor", "Too early"), (14_753, "usable", "In light")],
)
def test_samples_of_too_few_images_are_of_no_use_whatever_the_figures_say(images, grade, begins):
    """A minute of training was called usable, and the plan had called it hopeless."""
    run = SimpleNamespace(recipe=make(LatentGAN), spec=Spec(3, 64, 64), finish={"images": images})
    found = judging.too_early(Outcome("usable", "In light the samples are usable.", {}), run)
    assert found.grade == grade and found.sentence.startswith(begins) and "In light the samples" in found.sentence
    assert judging.too_early(Outcome("failed", "Fog.", {}), run).sentence == "Fog."


@pytest.mark.parametrize(("counts", "wanted"), [((5, 4), None), ((50, 50), 2 * math.sqrt(0.25 / 100)), ((98, 2), None)])
def test_chance_is_that_of_balanced_accuracy(counts, wanted):
    """Closed form for equal classes; otherwise drawn: guesses on the pictures as they lie."""
    labels = np.repeat([0, 1], counts)
    found = judging._noise(0.5, labels)
    if wanted is not None:
        assert found == pytest.approx(wanted)
    hits = np.random.default_rng(0).random((20_000, len(labels))) < 0.5
    drawn = (hits[:, labels == 0].mean(1) + hits[:, labels == 1].mean(1)) / 2
    assert found == pytest.approx(2 * drawn.std(), rel=0.03)


@pytest.mark.parametrize("recipe", [VAE, Classifier])
def test_what_is_learned_by_heart_is_not_to_be_trained_longer(recipe):
    words = advice("overfitting", make(recipe, None)).words(in_flags)
    assert "more pictures" in words and "fewer" in words


def test_more_images_are_never_a_few_more():
    """After 43,712 images 50,000 were advised."""
    need = Need(64, True, 7_000, 50_000, "a run")
    recipe = SimpleNamespace(need=lambda spec: need, remedies={})
    run = SimpleNamespace(recipe=recipe, spec=None, finish={"images": 43_712}, log=lambda kind: [])
    assert judging._mend(Outcome("poor", "", {}), run).ways[0].values == {"images": 87_424}
