"""Figures of a run: what each one says, and beside it its drawing, which loads matplotlib."""
