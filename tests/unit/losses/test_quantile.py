import torch

from zeuxis.losses.quantile import pinball


def test_by_hand():
    truth, answer = torch.tensor([0.0, 3.0]), torch.tensor([1.0, 1.0])
    assert torch.isclose(pinball(truth, answer, 0.25), torch.tensor((0.75 * 1.0 + 0.25 * 2.0) / 2))


def test_its_least_is_at_the_quantile():
    truth = torch.linspace(0, 1, 1001)
    answers = torch.linspace(0, 1, 101)
    losses = torch.stack([pinball(truth, a, 0.9) for a in answers])
    assert abs(float(answers[losses.argmin()]) - 0.9) < 0.011
