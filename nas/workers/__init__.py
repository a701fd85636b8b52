"""Searches with several workers: here, on other machines, on a cluster."""
