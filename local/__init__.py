"""The embedded AWS: deploys the program, unchanged, into moto, and runs its function as Lambda does."""
