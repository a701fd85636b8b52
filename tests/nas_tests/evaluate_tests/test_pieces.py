"""Where a photo shows how networks differ."""

from __future__ import annotations

import numpy as np

from nas.evaluate.pieces import Piece, differing, heaviest


def test_the_heaviest_piece_is_found_and_the_first_of_equals() -> None:
    weights = np.zeros((20, 30))
    weights[11:14, 17:22] = 1.0
    assert heaviest(weights, 5, 3) == Piece(17, 11, 5, 3)
    assert heaviest(np.ones((4, 6)), 2, 2) == Piece(0, 0, 2, 2)
    # Larger than all there is: all there is.
    assert heaviest(weights, 99, 99) == Piece(0, 0, 30, 20)


def test_a_sum_over_every_window_says_the_same() -> None:
    weights = np.random.default_rng(0).random((9, 11))
    found = heaviest(weights, 4, 3)
    sums = {
        (x, y): weights[y : y + 3, x : x + 4].sum() for y in range(7) for x in range(8)
    }  # fmt: skip
    assert (found.left, found.top) == max(sums, key=sums.__getitem__)


def test_renderings_differ_where_one_of_them_does() -> None:
    flat = np.full((40, 50, 3), 100, np.uint8)
    other = flat.copy()
    other[20:28, 30:38] = 160
    piece = differing([flat, flat, other], 8, 8)
    assert piece == Piece(30, 20, 8, 8)
    assert (piece.of(other) == 160).all()
    # Where all of them are light alike, nothing differs.
    bright = [image.copy() for image in (flat, flat, other)]
    for image in bright:
        image[:8, :8] = 255
    assert differing(bright, 8, 8) == piece
