"""A graded class and its key, looked at again: regrades, items, sensitivity, appeals, the ledger."""
