"""qcdriver: conformers of atomically precise metal nanoclusters, from geometry models to energy profiles.

The flow, one module a step::

    inputs/NAME.toml
      config       the file becomes typed settings
      candidates   [structure]: models are built (structures/), or files read
      prescreen    [prescreen]: xTB relaxes every candidate; the best, without duplicates, go on
      scan         [scan]: a twist or dihedral is driven over a grid, relaxed, from every side (wavefront)
      dft          [dft]: single points of the conformers and of chosen points of the profile
      summary      what the records say: conformers, gaps, profiles
      report       the table and the picture
    results/NAME/records.jsonl, summary.json, profile.png

`pipeline` chains the stages. A stage asks for tasks (schema) and gets records: `execution` finds them in `records`, or
computes them in worker processes, where the `engines` do the work and `relaxation` walks downhill. `slurm` sends the
same stages to a cluster, a job array a round.
"""

__version__ = "0.1.0"
