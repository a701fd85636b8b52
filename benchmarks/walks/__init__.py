"""Walks of new users: what the guides and the screen promise, one command after the other."""
