import pytest
import torch

from zeuxis.augmentation.discriminator import ADA_OPS, ada_ops, ada_pipe, ada_update, diff_augment
from zeuxis.draw import Draw
from zeuxis.errors import BadInput

DRAW = Draw(6, step=1, phase="critic")
AUGMENTS = {
    "diff": lambda x, draw, index=None: diff_augment(x, draw, index=index),
    "ada": lambda x, draw, index=None: ada_pipe(x, draw, 0.7, index=index),
}


def picture(b=6, c=3, h=12, w=16, name="picture"):
    return Draw(1).at(name).uniform(b, c, h, w, low=-1, high=1)


@pytest.mark.parametrize("name", sorted(AUGMENTS))
def test_real_and_fake_of_a_pair_get_the_same_parameters(name):
    """Affine in the image, up to the mean over the image: a mixture of pictures becomes the mixture of the results."""
    real, fake = picture(), picture(name="fake")
    augment = AUGMENTS[name]
    mixture = augment(0.25 * real + 0.75 * fake, DRAW)
    assert torch.allclose(mixture, 0.25 * augment(real, DRAW) + 0.75 * augment(fake, DRAW), atol=1e-5)
    assert not torch.allclose(augment(real, DRAW), augment(real, Draw(6, step=2, phase="critic")), atol=1e-2)


@pytest.mark.parametrize("name", sorted(AUGMENTS))
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_order_and_channels(name, channels):
    image, order = picture(c=channels), torch.tensor([3, 1, 5, 0, 2, 4])
    whole = AUGMENTS[name](image, DRAW)
    assert whole.shape == image.shape and whole.isfinite().all()
    assert torch.equal(AUGMENTS[name](image[order], DRAW, order), whole[order])


@pytest.mark.parametrize("name", sorted(AUGMENTS))
def test_twice_differentiable(name):
    image = picture(2, 3, 5, 6).double().requires_grad_()

    def squares(x):
        return AUGMENTS[name](x, Draw(3)).square().mean((1, 2, 3))

    assert torch.autograd.gradcheck(squares, image)
    assert torch.autograd.gradgradcheck(squares, image)


def test_diff_augment_colour_is_within_its_ranges():
    values = torch.linspace(-0.5, 0.5, 16).reshape(1, 1, 4, 4).expand(3000, 1, 4, 4)
    out = diff_augment(values, DRAW, "color")
    shift, factor = out.mean((1, 2, 3)), out.std((1, 2, 3)) / values[0].std()
    assert -0.5 <= shift.min() < -0.49 and 0.49 < shift.max() <= 0.5
    assert 0.5 - 1e-5 <= factor.min() < 0.51 and 1.49 < factor.max() <= 1.5 + 1e-5
    coloured = torch.tensor([0.3, 0.0, -0.3])[:, None, None].expand(3000, 3, 2, 2)
    chroma = diff_augment(coloured, DRAW, "color")[:, 0] - diff_augment(coloured, DRAW, "color")[:, 2]
    assert 0 <= chroma.min() < 0.01 and 1.6 < chroma.max() / 0.6 <= 3 + 1e-5


def test_diff_augment_translation_is_whole_and_zero_padded():
    image = picture(3000, 1, 16, 8) + 2
    out = diff_augment(image, DRAW, "translation")
    rows, columns = (out.abs().sum(3) > 0).squeeze(1), (out.abs().sum(2) > 0).squeeze(1)
    top, left = rows.int().argmax(1), columns.int().argmax(1)
    assert set(top.tolist()) == {0, 1, 2} and set(left.tolist()) == {0, 1}
    assert rows.sum(1).min() == 14 and columns.sum(1).min() == 7
    unmoved = (top == 0) & (left == 0) & (rows.sum(1) == 16) & (columns.sum(1) == 8)
    assert torch.equal(out[unmoved], image[unmoved]) and abs(unmoved.float().mean() - 1 / 15) < 0.02


@pytest.mark.parametrize("size", [(16, 16), (9, 12)])
def test_diff_augment_cutout_is_half_the_sides(size):
    out = diff_augment(torch.ones(2000, 2, *size), DRAW, "cutout")
    hole = out[:, 0] == 0
    assert torch.equal(hole, out[:, 1] == 0)
    tall, wide = hole.any(2).sum(1), hole.any(1).sum(1)
    half = [int(side * 0.5 + 0.5) for side in size]
    assert tall.max() == half[0] and wide.max() == half[1]
    assert tall.min() >= half[0] // 2 and wide.min() >= half[1] // 2
    assert torch.equal(hole.sum((1, 2)), tall * wide)


def test_diff_augment_names():
    image = picture()
    assert diff_augment(image, DRAW, "") is image
    with pytest.raises(BadInput, match="did you mean `cutout`"):
        diff_augment(image, DRAW, "color,cutot")
    rgba = picture(c=4)
    assert torch.equal(diff_augment(rgba, DRAW, "color")[:, 3], rgba[:, 3])


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_ada_at_zero_keeps_the_bits(channels):
    image = picture(c=channels) * 3
    assert torch.equal(ada_pipe(image, DRAW, 0.0), image)
    assert torch.equal(ada_pipe(image, DRAW, torch.zeros(())), image)


@pytest.mark.parametrize("op", ADA_OPS)
def test_each_ada_operation_happens_with_chance_p(op):
    image = picture(2000, 3, 8, 8)
    out = ada_pipe(image, DRAW, torch.tensor(0.4), (op,))
    changed = (out != image).flatten(1).any(1).float().mean().item()
    # these may also draw "no": half of the flips, a quarter of the turns, a quarter of the shifts along each axis
    still = {"xflip": 1 / 2, "lumaflip": 1 / 2, "rotate90": 1 / 4, "xint": 1 / 4}.get(op, 0)
    assert changed == pytest.approx(0.4 * (1 - still), abs=0.04)


def test_ada_known_values():
    image = picture(64, 3, 8, 8)
    flipped = ada_pipe(image, DRAW, 1.0, ("xflip",))
    is_flip = torch.isclose(flipped, image.flip(3), atol=1e-5).flatten(1).all(1)
    assert (is_flip | (flipped == image).flatten(1).all(1)).all() and 0.3 < is_flip.float().mean() < 0.7
    turned = ada_pipe(image, DRAW, 1.0, ("rotate90",))
    turns = torch.stack([torch.rot90(image, k, (2, 3)) for k in range(4)])
    assert torch.isclose(turns, turned, atol=1e-5).flatten(2).all(2).any(0).all()
    inverted = ada_pipe(image[:, :1], DRAW, 1.0, ("lumaflip",))
    assert torch.allclose(inverted.abs(), image[:, :1].abs(), atol=1e-6)
    luma = image.mean(1)
    for op in ("hue", "saturation"):
        assert torch.allclose(ada_pipe(image, DRAW, 1.0, (op,)).mean(1), luma, atol=1e-5)
    scale = ada_pipe(image, DRAW, 1.0, ("contrast",)) / image
    assert torch.allclose(scale, scale[:, :1, :1, :1].expand_as(scale), rtol=1e-4)
    assert 0.35 < torch.log2(scale[:, 0, 0, 0]).std() < 0.65


def test_a_subset_leaves_the_numbers_of_the_others():
    image = picture()
    both = ada_pipe(image, DRAW, 0.9, ("brightness", "contrast"))
    steps = ada_pipe(ada_pipe(image, DRAW, 0.9, ("brightness",)), DRAW, 0.9, ("contrast",))
    assert torch.equal(both, steps)


def test_ada_operations_of_a_domain():
    assert ada_ops("photo") == ADA_OPS and len(ADA_OPS) == 12
    for domain in ("digits", "text"):
        assert not {"xflip", "rotate90", "rotate"} & set(ada_ops(domain))
    with pytest.raises(BadInput, match="did you mean `xflip`"):
        ada_pipe(picture(), DRAW, 0.5, ("xflp",))


def test_one_step_of_p():
    assert float(ada_update(0.1, 0.9, batch=64)) == pytest.approx(0.1 + 64 * 4 / 500_000)
    assert float(ada_update(torch.tensor(0.1), torch.tensor(0.2), batch=64)) == pytest.approx(0.1 - 64 * 4 / 500_000)
    assert float(ada_update(0.0, -1.0, batch=64)) == 0.0 and float(ada_update(1.0, 1.0, batch=64)) == 1.0
    assert float(ada_update(0.3, 0.6, batch=64)) == pytest.approx(0.3)
    assert ada_update(0.3, 0.9, 64).shape == ()


@pytest.mark.parametrize("start", [0.0, 1.0])
def test_p_settles_where_the_critic_meets_the_target(start):
    """A toy critic whose overfitting falls with p, seen through batches of signs: 0.6 is met at p = 0.375."""
    p, path = torch.tensor(start), []
    signs = Draw(2).at("signs").uniform(2000, 256)
    for k in range(2000):
        sign_mean = torch.sign((0.95 - 0.4 * p) - signs[k]).mean()  # mean 2 (0.95 - 0.4 p) - 1 = 0.9 - 0.8 p
        p = ada_update(p, sign_mean, batch=64, speed_images=100_000)
        path.append(float(p))
    tail = torch.tensor(path[-500:])
    assert abs(tail.mean() - 0.375) < 0.03 and tail.std() < 0.03
