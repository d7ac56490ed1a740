"""Deploys a region into a real account, tries it, and takes it away again: what no emulator can show."""
