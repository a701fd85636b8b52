"""Trained networks outside the search: where they come from, other runtimes, their speed."""
