import pytest
from PIL import Image

from zeuxis.data.builtin import ASSETS
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
    assert found.counts == {(6, 8): 2, (10, 20): 1, (40, 5): 1} and found.classes == {"a": 2, "b": 2}
    assert found.smallest == (6, 8) and found.largest == (40, 5) and found.channels == 3
    assert [name for name, _ in found.skipped] == ["a/torn.png"]


def test_grey_flat_and_asked_channels(tmp_path):
    Image.new("L", (4, 3), 7).save(tmp_path / "1.png")
    Image.new("RGB", (3, 4), (7, 7, 7)).save(tmp_path / "2.png")
    assert sizes_of(tmp_path) == Sizes({(3, 4): 1, (4, 3): 1}, 1, {}, [])
    assert sizes_of(tmp_path, 3).channels == 3


def test_nothing_to_tell(tmp_path):
    (tmp_path / "1.png").write_bytes(b"torn")
    with pytest.raises(BadInput, match="no picture can be read"):
        sizes_of(tmp_path)
    with pytest.raises(BadInput, match="no collection"):
        sizes_of(ASSETS / "fashion-mini.png")
