"""ESA and CCA against straightforward forms of their own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from search_spaces.attention.cca import CCA
from search_spaces.attention.esa import ESA, ESALite


def straightforward_esa(esa: ESALite, x: Tensor) -> Tensor:
    """ESA step by step as published, with no care for small images."""
    w = dict(esa.named_parameters())

    def conv(name: str, y: Tensor, **options: int) -> Tensor:
        return F.conv2d(y, w[f"{name}.weight"], w[f"{name}.bias"], **options)

    reduced = conv("reduce", x)
    y = conv("stride", reduced, stride=2)
    y = F.max_pool2d(y, 7, 3)
    if isinstance(esa, ESA):
        for name in ("first", "second"):
            y = conv(name, y, padding=1)
            y = torch.where(y > 0, y, esa.slope * y)
    y = conv("refine", y, padding=1)
    y = F.interpolate(y, (x.shape[2], x.shape[3]), mode="bilinear", align_corners=False)
    return x * torch.sigmoid(conv("expand", y + conv("shortcut", reduced)))


MODULES = [ESA(8, width=4), ESA(8, width=3, slope=0.01), ESALite(8, width=4)]


@pytest.mark.parametrize("esa", MODULES, ids=["esa", "esa-leaky", "esa_lite"])
class TestEsa:
    @pytest.mark.parametrize("size", [(15, 15), (15, 40), (16, 23), (31, 15), (64, 48)])
    def test_is_the_published_one_from_15_px_up(self, esa: ESALite, size: tuple[int, int]) -> None:
        x = torch.randn(2, 8, *size)
        assert torch.equal(esa(x), straightforward_esa(esa, x))

    @pytest.mark.parametrize("size", [(1, 1), (14, 14), (14, 15), (1, 64), (40, 7)])
    def test_smaller_sides_work_too(self, esa: ESALite, size: tuple[int, int]) -> None:
        x = torch.randn(1, 8, *size)
        with pytest.raises(RuntimeError):
            straightforward_esa(esa, x)
        assert esa(x).shape == x.shape
        assert esa(x).isfinite().all()


class TestCca:
    def test_is_contrast_plus_mean(self) -> None:
        cca = CCA(6, width=3).eval()
        x = torch.randn(2, 6, 9, 13)
        contrast = x.std((2, 3), unbiased=False, keepdim=True) + x.mean((2, 3), keepdim=True)
        hidden = F.relu(cca.squeeze(contrast))
        expected = x * torch.sigmoid(cca.excite(hidden))
        assert torch.allclose(cca(x), expected, atol=1e-6)
        assert torch.allclose(cca.train()(x), expected, atol=1e-6)

    @pytest.mark.parametrize("value", [0.0, 0.5, -3.0])
    @pytest.mark.parametrize("size", [(1, 1), (8, 8)])
    def test_gradient_is_finite_on_constant_maps(self, value: float, size: tuple[int, int]) -> None:
        cca = CCA(4, width=2).train()
        x = torch.full((1, 4, *size), value, requires_grad=True)
        cca(x).sum().backward()
        assert x.grad is not None
        assert x.grad.isfinite().all()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in cca.parameters())

    def test_half_precision_keeps_its_type_and_the_contrast(self) -> None:
        cca = CCA(4, width=2).eval()
        x = torch.rand(1, 4, 64, 64) + 20  # a large mean hides the variance from few digits
        half = cca.bfloat16()(x.bfloat16())
        assert half.dtype is torch.bfloat16
        assert torch.allclose(half.float(), cca.float()(x), rtol=0.05)
