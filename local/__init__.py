"""The embedded AWS: deploys the unchanged program into moto, and runs its function as Lambda does."""
