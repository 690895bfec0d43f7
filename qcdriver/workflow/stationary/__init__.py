"""Minima of a scan's grid, and ways over its passes in, stationary points of the whole surface out, each verified.

Minima are relaxed with every constraint off, duplicates and mirror images merged (`minima`), and what vibrations show
to be a saddle is pushed off it (`push_off`); a band climbs each pass between the minima that its ends became, and from
its top a search goes on to the saddle (`saddles`). A minimum is one without an imaginary wavenumber, a saddle with
exactly one (`verification`). What is not is dropped with its verdict; a pass whose ends became one minimum is still a
path, from one numbering of its atoms to another, as a methyl group turns.
"""
