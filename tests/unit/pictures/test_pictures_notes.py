"""A picture that zeuxis changed is known as such in every format that can say it, so that no test split takes it."""

import numpy as np
import pytest

from zeuxis.data.decode import Shape, decode
from zeuxis.pictures.picture import Metadata, Picture, encode


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_changed_picture_is_known(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)
    picture = Picture(pixels, None, Metadata())
    for name, note in (("changed", {"used": ["repair"]}), ("plain", None)):
        (tmp_path / f"{name}{suffix}").write_bytes(encode(picture, suffix, note))
        assert decode(tmp_path / f"{name}{suffix}", Shape()).origin.kind == ("changed" if note else "")
