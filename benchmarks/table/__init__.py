"""A recorded benchmark: every network of a finite search space, trained and measured."""
