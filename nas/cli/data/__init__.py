"""``nas data``: the photos that networks are trained on. One file a command."""
