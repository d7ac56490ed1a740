"""The way in to the server: what every request must pass before moto sees it."""
