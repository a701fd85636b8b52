"""``nas compress``: makes a given network smaller or faster. One file a command."""
