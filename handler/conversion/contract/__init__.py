"""Conversion by a data contract. Types are not guessed. The contract says how to handle bad values."""
