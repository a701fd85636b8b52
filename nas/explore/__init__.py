"""The search: budgets, proposals, the study, and the worker that trains."""
