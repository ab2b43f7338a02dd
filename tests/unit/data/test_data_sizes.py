import pytest
from PIL import Image

from zeuxis.data.builtin import ASSETS
from zeuxis.data.loading import Taken
from zeuxis.data.reader import SizesDiffer, open_dataset
from zeuxis.data.sizes import Sizes, sizes_of
from zeuxis.errors import BadInput


def mixed(root):
    for place, side in {"b/1": (8, 6), "b/2": (8, 6), "a/1": (20, 10), "a/2": (5, 40)}.items():
        path = root / f"{place}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", side, (9, 90, 200)).save(path)
    (root / "a/torn.png").write_bytes(b"torn")
    return root


def test_a_folder_of_mixed_sizes_is_told(tmp_path):
    with pytest.raises(SizesDiffer, match="give --size"):
        open_dataset(mixed(tmp_path))
    found = sizes_of(tmp_path)
    assert found.counts == {(6, 8): 2, (10, 20): 1, (40, 5): 1}
    assert found.smallest == (6, 8) and found.largest == (40, 5) and found.common == 6


@pytest.mark.parametrize(("sides", "common"), [((300, 400, 900), 64), ((16, 300, 400), 64), ((16, 20, 400), 20)])
def test_the_size_to_compare_at_enlarges_half_of_the_pictures_at_most(sides, common):
    assert Sizes({(side, 2 * side): 1 for side in sides}).common == common


def test_all_frames_are_counted_where_they_are_taken(tmp_path):
    frames = [Image.new("L", (8, 9), i) for i in (10, 200)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    Image.new("L", (4, 3), 7).save(tmp_path / "1.png")
    assert sizes_of(tmp_path) == Sizes({(9, 8): 1, (3, 4): 1})
    assert sizes_of(tmp_path, taken=Taken(frames="all")) == Sizes({(9, 8): 2, (3, 4): 1})


def test_nothing_to_tell(tmp_path):
    (tmp_path / "1.png").write_bytes(b"torn")
    with pytest.raises(BadInput, match="no picture can be read"):
        sizes_of(tmp_path)
    with pytest.raises(BadInput, match="no collection"):
        sizes_of(ASSETS / "fashion-mini.webp")
