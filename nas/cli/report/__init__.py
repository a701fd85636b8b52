"""``nas report``."""
