"""Searches replayed on the recorded table: what each spends, and what it has found by then."""
