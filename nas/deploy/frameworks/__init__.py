"""Networks for those who train with BasicSR or what has come of it."""
