"""The settings file that PySCF reads in place of a user's own: it sets nothing."""
