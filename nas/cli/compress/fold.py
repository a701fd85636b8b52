"""``nas compress fold``: everything linear as single convolutions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from nas.cli.options import NAME, Force, Trained, Trial
from nas.cli.targets import check_name

__all__ = ["fold"]


def fold(
    network: Trained,
    output: Annotated[Path, NAME],
    trial: Trial = "best",
    force: Force = False,
) -> None:
    """Fold re-parameterised and asymmetric branches, identities and adaptive weights.

    The outputs stay the same to 1e-5, which is checked on the spot.
    """
    from compress.fold import fold as fold_network
    from compress.network_file import write_network
    from nas.cli.compress.price_table import print_prices
    from nas.networks import trained_network

    check_name(output, force=force)
    given = trained_network(network, trial=trial)
    folded = fold_network(given)
    same = folded.network.architecture == given.architecture
    weights, config = write_network(folded.network, output)
    print_prices(network.name, folded.before, folded.after)
    print(
        "There was nothing to fold: the network is written as it was."
        if same
        else f"Outputs differ by {folded.difference:.1e} at most."
    )
    print(f"Written to {weights} and {config}")
