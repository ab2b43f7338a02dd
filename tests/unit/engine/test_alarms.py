import pytest
import torch

from zeuxis import catalog
from zeuxis.engine.alarms import PAIRS, SURE, Signals, check_alarms
from zeuxis.engine.translated import apart
from zeuxis.flags import read_settings
from zeuxis.jobs.training import check_settings
from zeuxis.recipes.recipe import Need, make, settings_of
from zeuxis.spelling import for_python

R3GAN = make(catalog.load("r3gan"))
LATE = {"progress": 0.5, "images": 10_000, "pictures": 128}


def names(score=None, watch=None, **when):
    return {alarm.name for alarm in check_alarms(Signals(score or {}, watch or {}, **(LATE | when)), R3GAN)}


@pytest.mark.parametrize(
    ("score", "watch", "alarm"),
    [
        ({"diversity": 0.1}, {}, "collapse"),
        ({"diversity": 0.4}, {}, "collapse"),
        ({"saturation": 0.99, "critic_real": 3.0, "critic_fake": -2.0}, {}, "saturation"),
        ({}, {"critic/r1": 0.01, "critic/r2": 5.0}, "penalty gap"),
        ({}, {"critic/r1": 5.0, "critic/r2": 0.01}, "penalty gap"),
        ({"critic_real": 2.0, "critic_held_out": -1.0, "critic_fake": -2.0, "held_out_z": 9.0}, {}, "overfitting"),
        ({}, {"vae/active_units": 0.1, "model/active_units": 0.1}, "posterior collapse"),
        ({}, {"critic/real": 5000.0}, "divergence"),
        ({}, {"critic/fake": -5000.0}, "divergence"),
    ],
)
def test_it_rings(score, watch, alarm):
    assert names(score, watch) == {alarm}


HEALTHY = {"diversity": 0.9, "saturation": 0.8, "critic_real": 1.0, "critic_held_out": 0.9, "critic_fake": -1.0}


def test_it_is_silent_when_all_is_well():
    assert names(HEALTHY, {"critic/r1": 0.3, "critic/r2": 0.5, "critic/real": 1.0, "model/active_units": 0.9}) == set()
    assert names() == set()


@pytest.mark.parametrize("when", [{"progress": 0.1}, {"images": 1000}])
def test_samples_are_not_judged_early(when):
    assert names({"diversity": 0.0, "saturation": 1.0}, **when) == set()


def test_overfitting_needs_a_critic_with_an_opinion():
    assert names({"critic_real": 1e-4, "critic_held_out": -1.0, "critic_fake": 0.0}) == set()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_rings_nothing(value):
    keys = ("diversity", "saturation", "critic_real", "critic_held_out", "critic_fake")
    watch = {"critic/r1": value, "critic/r2": 1.0, "critic/real": value, "model/active_units": value}
    assert names(dict.fromkeys(keys, value), watch) == set()
    assert names({}, {"critic/r1": 1.0, "critic/r2": value}) == set()


WON = {"saturation": 1.0, "critic_real": 3.0, "critic_fake": -3.0}
GREY = {"diversity": 0.045, **WON}
BEGUN = {**GREY, "critic_held_out": -1.0, "held_out_z": 9.0}


def test_the_last_look_is_judged_where_enough_images_were_seen():
    assert names(GREY, progress=1.0, images=3_000) == {"collapse", "saturation"}


@pytest.mark.parametrize("images", [1, 64, 2_999])
def test_after_few_images_nothing_is_judged_and_what_was_measured_is_said(images):
    watch = {"critic/r1": 0.01, "critic/r2": 5.0, "model/active_units": 0.1}
    signals = Signals(BEGUN, watch, **(LATE | {"progress": 1.0, "images": images}))
    (alarm,) = check_alarms(signals, R3GAN)
    assert alarm.name == "too early" and f"after {images:,} image{'s' * (images > 1)} it is too early" in alarm.words
    assert "0.04" in alarm.words and "100%" in alarm.words and "`--images 3000` or more" in alarm.advice.words()
    for untrue in ("has won", "by heart", "look alike", "may diverge"):
        assert untrue not in alarm.words
    assert names(BEGUN, watch, progress=0.5, images=images) == set()
    assert names({}, {"critic/real": 5000.0}, images=images) == {"divergence"}, "so however few were seen"


def test_nothing_amiss_after_few_images_is_no_alarm():
    assert names(HEALTHY, {}, progress=1.0, images=64) == set()


def test_a_share_of_few_pictures_and_a_difference_within_chance_say_nothing():
    assert 0.95**PAIRS < 0.05 <= 0.95 ** (PAIRS - 1)
    assert names(WON, pictures=PAIRS) == {"saturation"}
    assert names(WON, pictures=PAIRS - 1) == set()
    by_chance = {"critic_real": 0.01, "critic_held_out": 0.0, "critic_fake": 0.0, "held_out_z": 0.8}
    assert names(by_chance) == set()


def test_a_critic_that_tells_all_apart_by_little_still_teaches_the_generator():
    """As that of `latentgan` on 378 photographs did for fifteen minutes, while its samples became better and better."""
    assert names({"saturation": 1.0, "critic_real": 1.49, "critic_fake": -0.33}) == set()


def test_how_sure_a_critic_is_of_held_out_pictures():
    rng = torch.Generator().manual_seed(0)
    values = [apart(torch.randn(100, generator=rng), torch.randn(20, generator=rng)) for _ in range(500)]
    assert abs(float(torch.tensor(values).std()) - 1) < 0.12 and sum(v > SURE for v in values) <= 3
    assert apart(torch.tensor([3.0, 1.0]), torch.tensor([0.0, 0.0])) == pytest.approx(2.0)
    assert apart(torch.ones(1), torch.zeros(9)) == 0.0


SIGNS = {
    "collapse": ({"diversity": 0.1}, {}),
    "saturation": (WON, {}),
    "penalty gap": ({}, {"critic/r1": 0.01, "critic/r2": 5.0}),
    "overfitting": ({"critic_real": 2.0, "critic_held_out": -1.0, "critic_fake": -2.0, "held_out_z": 9.0}, {}),
    "posterior collapse": ({}, {"model/active_units": 0.1}),
    "copying": ({"changed": 0.01}, {}),
    "inverted": ({"inverted": 0.9}, {}),
    "pattern": ({"pattern": 90.0}, {}),
    "divergence": ({}, {"critic/real": 5000.0}),
}
OF_TRAIN = ("seed", "images")  # flags that every training has
PRESETS = [(name, preset) for name in catalog.names() for preset in (None, *catalog.load(name).presets)]


@pytest.mark.parametrize(("name", "preset"), PRESETS)
def test_advice_names_what_the_recipe_has_at_values_that_it_has_not(name, preset):
    recipe = make(catalog.load(name), preset)
    settings = settings_of(recipe)
    assert set(recipe.remedies) <= set(SIGNS)
    for trouble, (score, watch) in SIGNS.items():
        (alarm,) = check_alarms(Signals(score, watch, **LATE), recipe)
        assert alarm.name == trouble and alarm.advice.ways and "\n" not in alarm.words + alarm.advice.words()
        for way in alarm.advice.ways:
            assert way.values or way.of in ("", *OF_TRAIN)
            given = [
                f"{name}={str(value).lower() if isinstance(value, bool) else value}"
                for name, value in way.values.items()
            ]
            new = read_settings(name, given, "--generator")
            assert all(settings[field] != value for field, value in new.items()), f"{way}: it is so already"
            check_settings(make(type(recipe), preset, **new))


@pytest.mark.parametrize(
    ("pictures", "says"), [(500, ", as is usual with so few of them (500)"), (5000, ""), (None, "")]
)
def test_overfitting_of_few_pictures_is_said_to_be_usual(pictures, says):
    score, watch = SIGNS["overfitting"]
    (alarm,) = check_alarms(Signals(score, watch, **LATE, trained_on=pictures), R3GAN)
    assert alarm.means == f"it knows the training pictures by heart{says}"


def test_too_short_a_training_is_told_to_train_on_before_anything_else():
    need = Need(28, False, 5_000, 40_000, "a run")
    (alarm,) = check_alarms(Signals({"diversity": 0.1}, {}, 1.0, 20_000, 128), R3GAN, need)
    assert alarm.advice.words() == "train again with `--images 40000`: it has seen too few"
    (alarm,) = check_alarms(Signals({"diversity": 0.1}, {}, 1.0, 40_000, 128), R3GAN, need)
    assert "`--gamma 4 --gamma-end 0.4`" in alarm.advice.words()
    with for_python():
        assert "`gamma=4.0, gamma_end=0.4`" in alarm.advice.words() and "another seed=" in alarm.advice.words()


def test_samples_alike_are_no_fog_any_more_where_others_of_the_kind_had_shapes():
    need = Need(64, True, 15_000, 150_000, "a run", stages=((28_000, "rough shapes"),))
    told = [check_alarms(Signals({"diversity": 0.1}, {}, 1.0, n, 128), R3GAN, need)[0] for n in (20_000, 90_000)]
    assert "--images 150000" in told[0].advice.words() and "--images" not in told[1].advice.words()
    (won,) = check_alarms(Signals(WON, {}, 1.0, 90_000, 128), R3GAN, need)
    assert "--images 150000" in won.advice.words()
