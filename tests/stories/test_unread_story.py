"""No flag is passed over in silence: where nothing would read it, the word says so before any work is done."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.stories.commands import inside, pictures, typed


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("unread")
    pictures(place / "pics", ("boot", "dress"), 8)
    Image.fromarray(np.full((40, 40, 3), 90, np.uint8)).save(place / "a.png")
    with inside(place):
        done = typed("train", "gan", "pics", "--run", "r", "--steps", "1", "--compute", "plain")
    assert done.code == 0
    return place


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        ("sample r -n 4 --seeds 1,2 --out made", "-n"),
        ("restore a.png b.png --task denoise --method non-local-means --run r", "--run"),
        ("upscale a.png b.png --method bicubic --run r", "--run"),
        ("restore a.png b.png --uncertainty r", "--uncertainty"),
        ("restore a.png b.png --mask a.png", "--mask"),
        ("restore a.png b.png --task inpaint --mask-is keep", "--mask-is"),
        ("upscale a.png b.png --method bicubic --fidelity 0.5", "--fidelity"),
        ("augment pics --study st --treatment again --generator width=4", "--generator"),
        ("augment pics --study st --copies 3", "--copies"),
        ("augment pics --classic-only --out o --repeats 3", "--repeats"),
        ("augment pics --classic-only --out o --unlabelled others", "--unlabelled"),
        ("augment pics --classic-only --out o --threads 2", "--threads"),
        ("augment pics --classic-only --out o --device cpu", "--device"),
        ("augment pics --classic-only --out o --join off", "--join"),
        ("data export pics --out o --fit pad", "--fit"),
        ("data show pics --fit pad", "--fit"),
        ("train gan pics --run n --steps 1 --fit pad", "--fit"),
        ("evaluate r --size 8", "--size"),
        ("evaluate pics --data pics -n 8", "-n"),
        ("evaluate pics --data pics --snapshot best", "--snapshot"),
        ("data weights list some.tar.gz", "some.tar.gz"),
    ],
)
def test_what_nothing_reads_is_refused(place, command, flag):
    before = sorted(place.rglob("*"))
    with inside(place):
        done = typed(*command.split())
    assert done.code == 2 and len(done.errors) == 1 and flag in done.err, done.err
    assert sorted(place.rglob("*")) == before


def test_a_dry_run_says_that_it_draws_no_page(place):
    with inside(place):
        done = typed("restore", "a.png", "b.png", "--dry-run", "--page", "p.html")
    assert done.code == 0 and "a dry run compares nothing and draws no page" in done.err
    assert not Path(place / "p.html").exists()


def test_seeds_alone_say_how_many(place):
    with inside(place):
        done = typed("sample", "r", "--seeds", "3,5-6", "--out", "three")
    assert done.code == 0 and len(list((place / "three").glob("*.png"))) == 3 + 1
