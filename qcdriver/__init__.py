"""qcdriver: conformers of atomically precise metal nanoclusters, from geometry models to energy profiles.

The flow, one module a step::

    inputs/NAME.toml
      config           the file, or one of its variants, becomes typed settings
      candidates       [structure]: models to build (structures/), or files that were read
      prescreen        [prescreen]: xTB relaxes every candidate; the best, without duplicates and mirror images, go on
      scan             [scan]: one or two coordinates are driven over a grid, relaxed, from every side (wavefront)
      stationary       [stationary]: minima of the grid relaxed freely, the saddles between them climbed, all verified
      interconversion  [interconversion]: paths between conformers, and to their mirror images
      dft              [dft]: single points of the conformers and of chosen points of the profile
      mirror           [mirror]: the mirror image of the lowest conformer must have its energy
      summary          what the records say, as typed findings; `landscape` reads those of a scan
      report           the tables; `pictures` draws profile, map, network, and a movie of the rotation
    results/NAME/records.jsonl, summary.json, profile.png, map.png, network.json, network.png

A stage is a generator that asks for rounds of tasks (`stage`); `stages` makes each from a `run`, and `pipeline` follows
them. `execution` finds tasks in `records`, or computes them in worker processes, where the `engines` do the work and
`relaxation` walks downhill; `slurm` sends the same stages to a cluster, a job array a round. `comparison` lays
conformers on each other.
"""

__version__ = "0.1.0"
