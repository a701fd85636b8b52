"""Which workers of a search are alive, and whose turn it is."""

from nas.store.leases.lease import Lease, LeaseLost, NoTurn
from nas.store.leases.take import take_lease

__all__ = ["Lease", "LeaseLost", "NoTurn", "take_lease"]
