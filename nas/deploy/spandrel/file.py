"""A network as the .safetensors file of a Compact or a SPAN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from nas.deploy.metadata import metadata
from nas.deploy.parity import Parity, Run, check_parity, runner
from nas.deploy.spandrel.compact import compact_output, compact_state
from nas.deploy.spandrel.span import span_output, span_state
from search_spaces.errors import InputError, NotPossible, first_line
from search_spaces.files import atomic_path
from search_spaces.folding import fold, folded
from search_spaces.network import Network

__all__ = ["KNOWN", "export_spandrel", "open_spandrel", "spandrel_version", "state_for_spandrel"]

KNOWN = ("compact", "abpn", "span", "span26")
"""The presets that spandrel has a class for; any width of them, and Compact's depth, too."""


def export_spandrel(network: Network, path: Path | str) -> Parity:
    """Writes the weights by the keys and shapes of a network that spandrel knows.

    They are compared with the network by the published forward pass, and by spandrel's own class
    where spandrel is installed.

    Returns:
        How far it is from the network at most, and whether spandrel said so.

    Raises:
        InputError: another network, a difference, or a file that can't be written.
    """
    state = state_for_spandrel(network)
    parity = check_parity(network, _ours(state))
    if version := spandrel_version():
        own = check_parity(network, _theirs(state))
        parity = Parity(max(parity.difference, own.difference), own.sizes, f"spandrel {version}")
    # By other names than in our own files, whose weights these are not.
    told = {f"nas_sr_{key}": text for key, text in metadata(network).items()}
    with atomic_path(path) as temporary:
        temporary.write_bytes(save(state, metadata={"format": "pt", **told}))
    return parity


def open_spandrel(path: Path) -> Run:
    """What spandrel makes of the file; without spandrel, what the published network gives.

    Raises:
        InputError: it cannot be read, or holds no Compact and no SPAN.
    """
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: expected a .safetensors file, which this is not") from error
    if not {"body.0.weight", "conv_cat.weight"} & state.keys():
        raise InputError(f"{path}: expected the weights of a Compact or a SPAN, found none")
    return _theirs(state) if spandrel_version() else _ours(state)


def state_for_spandrel(network: Network) -> dict[str, Tensor]:
    """The state dict of the Compact or SPAN that gives what the network gives.

    Raises:
        NotPossible: it is neither.
    """
    if network.architecture.colors != 3:
        raise NotPossible(
            "export: programs with spandrel give RGB; this network is on luma alone: choose "
            "--format onnx"
        )
    is_lean = folded(network.architecture) == network.architecture
    lean = network if is_lean else fold(network)
    reasons = []
    for name, made in (("Compact", compact_state), ("SPAN", span_state)):
        try:
            # A copy each: the file wants contiguous tensors that share no storage.
            return {key: tensor.contiguous().clone() for key, tensor in made(lean).items()}
        except NotPossible as error:
            reasons.append(f"no {name} ({error})")
    raise NotPossible(
        f"export: spandrel has no class for it: it is {' and '.join(reasons)}; the presets "
        f"{', '.join(KNOWN)} have one; choose --format onnx, which chaiNNer opens too"
    )


def spandrel_version() -> str:
    """Of the spandrel that is installed; ``""`` where there is none that can be imported."""
    try:
        import spandrel
    # A torchvision for another torch raises what it likes.
    except Exception:
        return ""
    return str(spandrel.__version__)


def _theirs(state: Mapping[str, Tensor]) -> Run:
    from spandrel import ModelLoader

    try:
        # It changes what it is given.
        model = ModelLoader("cpu").load_from_state_dict(dict(state)).model.eval()
    # Of keys that it does not know, or of shapes that its class has not.
    except Exception as error:
        raise NotPossible(
            f"export: spandrel {spandrel_version()} does not take the weights ({first_line(error)})"
        ) from error
    return runner(model)


def _ours(state: Mapping[str, Tensor]) -> Run:
    output = span_output if "conv_cat.weight" in state else compact_output
    return runner(lambda image: output(state, image))
