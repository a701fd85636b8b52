"""To be removed: atomic_path lives in search_spaces.files."""

from search_spaces.files import atomic_path

__all__ = ["atomic_path"]
