"""End-to-end tests: the deployed program on the embedded AWS."""
