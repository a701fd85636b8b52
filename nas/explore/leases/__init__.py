"""Which workers of a search are alive, and whose turn it is."""

from nas.explore.leases.lease import Lease, LeaseLost
from nas.explore.leases.take import take_lease

__all__ = ["Lease", "LeaseLost", "take_lease"]
