"""How the project's commands (`ops`, `local`) speak to people and to other programs."""
