from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from search_spaces.training_form import collapsed

State = dict[str, Tensor]


def conv3xc(place: str, c_in: int, c_out: int, *, bias: bool = True) -> State:
    """The weights of one as a training file holds them, its collapsed form out of date."""
    sizes = {
        "sk": (c_out, c_in, 1), "conv.0": (2 * c_in, c_in, 1),
        "conv.1": (2 * c_out, 2 * c_in, 3), "conv.2": (c_out, 2 * c_out, 1),
        "eval_conv": (c_out, c_in, 3),
    }  # fmt: skip
    found = {}
    for name, (o, i, kernel) in sizes.items():
        found[f"{place}.{name}.weight"] = torch.randn(o, i, kernel, kernel)
        if bias:
            found[f"{place}.{name}.bias"] = torch.randn(o)
    return found


@pytest.mark.parametrize("bias", [True, False])
def test_the_collapsed_one_gives_what_the_branches_give(bias: bool) -> None:
    torch.manual_seed(0)
    state = conv3xc("a.c1_r", 3, 4, bias=bias)
    one = collapsed({**state, "b.weight": torch.ones(1)})
    assert set(one) == {f"a.c1_r.eval_conv.{x}" for x in ("weight", "bias")[: 1 + bias]} | {
        "b.weight"
    }

    def through(x: Tensor, name: str) -> Tensor:
        weight, b = state[f"a.c1_r.{name}.weight"], state.get(f"a.c1_r.{name}.bias")
        return F.conv2d(x, weight, b)

    x = torch.randn(1, 3, 6, 7)
    wide = through(through(through(F.pad(x, (1, 1, 1, 1)), "conv.0"), "conv.1"), "conv.2")
    folded = F.conv2d(
        x, one["a.c1_r.eval_conv.weight"], one.get("a.c1_r.eval_conv.bias"), padding=1
    )
    torch.testing.assert_close(folded, wide + through(x, "sk"), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("key", ["a.conv.1.weight", "a.conv.0.weight", "a.sk.bias", "a.sk.weight"])
def test_other_shapes_stay_as_they_are(key: str) -> None:
    state = conv3xc("a", 3, 4)
    state[key] = torch.ones(5, *state[key].shape[1:])
    assert collapsed(state) == state
    # A product of two long vectors would be as large as nobody asked for.
    state = conv3xc("a", 3, 4) | {"a.sk.weight": torch.ones(4, 3, 3, 3)}
    assert collapsed(state) == state
    del state["a.conv.2.weight"]
    assert collapsed(state) == state
