"""An input file (TOML) becomes typed, frozen settings: one class a table, one line for every mistake in it.

`settings` reads it and holds all tables but the large ones, which are in `scan` and `resources`; `variants` makes
several inputs of one file.
"""
