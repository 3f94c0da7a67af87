"""From submissions to grades: regulations, credit rules, proof of the import, results."""
