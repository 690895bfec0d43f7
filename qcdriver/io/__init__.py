"""Molecules from files and to files."""
