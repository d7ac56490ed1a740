"""Output of the project's commands (`ops`, `local`) for people and for other programs."""
