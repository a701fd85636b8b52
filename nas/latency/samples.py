"""Random networks of a search space, of all sizes that a light network has."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from search_spaces import Architecture, Space, folded, price

__all__ = ["random_networks"]

_LEAST_PARAMS, _MOST_PARAMS = 5e4, 1.2e6


def random_networks(
    space: Space, scale: int, seed: int, *, most_params: float | None = None
) -> Iterator[Architecture]:
    """Different networks of the space without end, re-parameterised convolutions folded.

    Each draws its choices evenly, and grows to a random share of a limit on its parameters,
    which is drawn too (evenly in its logarithm, 50K to 1.2M) where none is given. Ends after
    many draws without a new network: a small space has no more of them.
    """
    rng = np.random.default_rng(seed)
    seen: set[str] = set()
    barren = 0
    while barren < 500:
        labels = space.sample(rng)
        drawn = np.exp(rng.uniform(np.log(_LEAST_PARAMS), np.log(_MOST_PARAMS)))
        limit = float(drawn if most_params is None else most_params)
        fractions = {d.name: float(rng.uniform()) for d in space.filling}

        def fits(arch: Architecture, most: float = limit) -> bool:
            return price(folded(arch)).params <= most

        point = space.fill(labels, fractions, scale, fits)
        barren += 1
        if point is None:
            continue
        architecture = folded(space.architecture(point, scale))
        if architecture.hash not in seen:
            seen.add(architecture.hash)
            barren = 0
            yield architecture
