"""Labels beside points: apart from each other, inside the frame, off the points."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.plots.labels import Box, place_labels

FRAME = Box(0, 0, 400, 300)
SIZE = (60.0, 12.0)
_anchor = st.tuples(st.floats(20, 380), st.floats(20, 280))


def test_overlap_is_the_common_area() -> None:
    box = Box(0, 0, 4, 3)
    assert box.area == 12
    assert box.overlap(Box(2, 1, 9, 9)) == 4
    assert box.overlap(Box(4, 0, 5, 3)) == 0
    assert box.overlap(Box(9, 9, 12, 12)) == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(_anchor, min_size=1, max_size=6))
def test_a_few_labels_never_overlap_nor_leave_the_frame(anchors: list[tuple[float, float]]) -> None:
    boxes = place_labels(anchors, [SIZE] * len(anchors), anchors, FRAME)
    for first, second in itertools.combinations(boxes, 2):
        assert first.overlap(second) < 1e-6
    for box in boxes:
        assert box.overlap(FRAME) > 0.999 * box.area


def test_a_label_stays_near_a_free_point_and_off_its_marker() -> None:
    (box,) = place_labels([(200, 150)], [SIZE], [(200, 150)], FRAME)
    away = np.clip((200, 150), box[:2], box[2:]) - (200, 150)
    assert 0 < np.hypot(*away) < 2 * SIZE[1]


def test_a_label_keeps_off_taken_places_and_obstacles() -> None:
    right_half = Box(200, 0, 400, 300)
    (box,) = place_labels([(199, 150)], [SIZE], [], FRAME, taken=[right_half])
    assert box.overlap(right_half) == 0
    crowd = [(x, y) for x in range(110, 195, 5) for y in range(100, 200, 5)]
    (box,) = place_labels([(199, 150)], [SIZE], crowd, FRAME)
    assert not any(box.left < x < box.right and box.bottom < y < box.top for x, y in crowd)


def test_names_of_points_closer_than_a_line_of_text_are_told_apart() -> None:
    # As RFDN, RFDN-L and IMDN lie among papers' results, with others of no name around them.
    anchors = [(200.0, 250.0), (212.0, 254.0), (218.0, 246.0), (206.0, 247.0), (221.0, 252.0)]
    crowd = [*anchors, *((195.0 + 3 * k, 244.0 + k % 4) for k in range(12))]
    for height in (12.0, 20.0):
        boxes = place_labels(anchors, [(60.0, height)] * len(anchors), crowd, FRAME)
        for first, second in itertools.combinations(boxes, 2):
            assert first.overlap(second) == 0
            across = max(first.left, second.left) - min(first.right, second.right)
            up = max(first.bottom, second.bottom) - min(first.top, second.top)
            assert max(across, up) > 0.1 * height


def test_nothing_to_place() -> None:
    assert place_labels([], [], [], FRAME) == []
