"""Convert by a data contract: nothing is guessed, and what does not fit is handled as the contract says."""
