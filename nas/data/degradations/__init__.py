"""Degradations as data: chains of blur, resizing, noise and JPEG that make LR of HR."""

from __future__ import annotations

from nas.data.degradations.chain import Chain, chain_names, load_chain

__all__ = ["Chain", "chain_names", "load_chain"]
