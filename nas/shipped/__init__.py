"""Networks that ship with their trained weights: what is in the package, and what it is worth."""
