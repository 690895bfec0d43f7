"""An input followed to its end: on this machine (`local`), on a cluster (`slurm`), from records alone (`replay`)."""
