"""The store of a search: Optuna's study with its retries, ledger, leases and files."""
