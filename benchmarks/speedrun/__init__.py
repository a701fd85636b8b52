"""How soon a training reaches a quality."""
