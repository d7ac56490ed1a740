"""The server's gateway: the checks that every request must pass before moto handles it."""
