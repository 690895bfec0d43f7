"""The rotor [Au13Ag12(PR3)10X8]+: two Au7Ag6 icosahedra that share one gold atom and turn against each other."""
