"""Ligands that any cluster may carry: phosphines and thiolates, their placement, and smaller models of them."""
