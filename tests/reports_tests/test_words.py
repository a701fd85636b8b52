"""Architectures in words."""

from __future__ import annotations

from reports.words import architecture_words
from search_spaces import preset, preset_names


def test_a_network_at_a_glance() -> None:
    assert architecture_words(
        {
            "schema_version": 1,
            "scale": 4,
            "channels": 20,
            "fusion": "chain",
            "image_skip": "bilinear",
            "blocks": [
                {
                    "repeat": 2,
                    "kind": "distillation",
                    "refined": [20, 10],
                    "shallow_residual": True,
                    "last_activation": False,
                    "attention": {"kind": "cca", "width": 4},
                },
                "my_block",
            ],
        }
    ) == (
        "2 × distillation, 20 channels: refined 20/10, shallow residual, no last activation, "
        "attention cca (width 4)",
        "1 × my block, 20 channels",
        "fusion chain, image skip bilinear",
    )
    assert architecture_words({}) == ()
    bare = {"channels": 64, "fusion": "none", "blocks": []}
    assert architecture_words(bare) == ("no blocks, 64 channels", "fusion none")


def test_every_published_system_can_be_said() -> None:
    for name in preset_names():
        lines = architecture_words(preset(name, 4).to_dict())
        assert lines
        assert not any("{" in line or "_" in line for line in lines), (name, lines)
