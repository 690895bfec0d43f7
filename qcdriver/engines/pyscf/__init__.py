"""Kohn-Sham DFT by PySCF on the CPU and gpu4pyscf on the GPU.

`engine` keeps the contract of `engines.base`. `estimate` says what a calculation will need, `mean_field` sets it up,
`first_density` and `first_spins` say where an SCF begins, `scf_ladder` makes the attempts that `scf_strategies` lists,
`stability` looks for lower states, and `properties` reads what came out. `adapter` alone changes PySCF's objects.
"""
