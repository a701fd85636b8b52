"""The settings of a search as a text that its study carries, for workers that know only its name.

What belongs to one start or one machine alone stays out: where the photos and the run folder
lie, the store's URL, the device, the time limit.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from nas.data.places import told_degradation
from nas.explore.settings import SearchSettings
from nas.latency.model import LatencyModel
from nas.plain import checked, from_plain
from search_spaces import Space
from search_spaces.errors import InputError
from search_spaces.yaml_file import parse_yaml

__all__ = ["SETTINGS", "our_version", "settings_from_text", "settings_to_text"]

SETTINGS = "nas_settings"
"""The study's attribute that holds the text."""

_FORMAT = 3
_KEPT = {name for name, field in SearchSettings.model_fields.items() if not field.exclude}


def our_version() -> str:
    """The version of the installed package."""
    try:
        return version("nas-sr")
    except PackageNotFoundError:
        return "unknown"


def settings_to_text(settings: SearchSettings) -> str:
    """The settings as YAML, but for those of one start or one machine."""
    whole = {"format": _FORMAT, "version": our_version(), **settings.model_dump(mode="json")}
    return yaml.safe_dump(whole, sort_keys=False, width=96)


def settings_from_text(text: str, name: str, /, **local: Any) -> SearchSettings:
    """The settings again.

    Args:
        text: from ``settings_to_text``.
        name: the study's.
        **local: the settings of this start and this machine, where they are not the defaults.

    Raises:
        InputError: another version made the text, or the space has parts that are not known.
    """
    where = f"study {name!r}: {SETTINGS}"
    plain = from_plain(dict[str, Any], parse_yaml(from_plain(str, text, where), where), where)
    made_by = plain.pop("version", "unknown")
    if plain.pop("format", None) != _FORMAT or made_by != our_version():
        raise InputError(
            f"study {name!r} was made by nas-sr {made_by}, this is {our_version()}; install "
            f"nas-sr {made_by} here, or start the search anew with this one"
        )
    if odd := sorted(plain.keys() ^ _KEPT):
        raise InputError(f"{where}: missing or unknown setting {odd[0]!r}")
    # Made here, since a name in its place would be that of a file.
    kinds: Any = {"space": dict[str, Any], "latency_model": dict[str, Any] | None,
                  "degradation": dict[str, Any] | None}  # fmt: skip
    space, model, by = (from_plain(kind, plain[k], f"{where}: {k}") for k, kind in kinds.items())
    try:
        plain["space"] = Space.from_dict(space)
    except InputError as error:
        raise InputError(
            f"study {name!r}: its space cannot be built here: {error}; give the files of its "
            f"own parts with --import"
        ) from None
    plain["latency_model"] = model and LatencyModel.from_dict(model, where)
    plain["degradation"] = told_degradation(by, where)
    return checked(SearchSettings, {**plain, "study": name, **local}, where)
