"""Where the data files are: carried in the wheel as ``collector/_data``, beside the package in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def data_path(name: str) -> Path:
    """Return the file or folder *name* (``schemas``, ``migrations``, ``config.example.toml``).

    Raises FileNotFoundError naming both places looked at: the installation is broken.
    """
    places = (_PACKAGE / "_data" / name, _PACKAGE.parent / name)
    for place in places:
        if place.exists():
            return place
    raise FileNotFoundError(f"{name} is in neither {places[0]} nor {places[1]}")
