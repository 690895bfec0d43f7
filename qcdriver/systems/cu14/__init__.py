"""[Cu14H10(PR3)8(SR)3]+: a face-centred cube of copper, three thiolates, ten hydrides, a C3 axis along a body diagonal.

`atoms` finds which atom is which in any structure; from it follow `sites` (where a hydride may sit, on the actual
copper positions), `placements` (the ways to put 1 + 3 + 3 + 3 of them there) and `binding` (how they bind after a
relaxation). `skeleton` is the bare model, `distortion` its soft modes, `shell` turns the ligands until nothing clashes,
and `model` puts it all together. What is known of the cluster: Das et al., "Direct Observation of Three Chiral
Conformers of an Atomically Precise Metal Nanoparticle", and doi:10.1007/s10876-023-02469-w for the one with an aromatic
thiolate, whose abstract says where the thiolates are: on one cube vertex, twisted about the three-fold axis.
"""

from qcdriver.systems.cu14.atoms import Cu14, find_cu14
from qcdriver.systems.cu14.binding import HydrideOrbit, hydride_binding
from qcdriver.systems.cu14.measures import Cu14Measures, measure_cu14
from qcdriver.systems.cu14.model import Cu14Model, build_cu14
from qcdriver.systems.cu14.placements import fill_hydrides, placements
from qcdriver.systems.cu14.sites import hydride_sites

__all__ = [
    "Cu14",
    "Cu14Measures",
    "Cu14Model",
    "HydrideOrbit",
    "build_cu14",
    "fill_hydrides",
    "find_cu14",
    "hydride_binding",
    "hydride_sites",
    "measure_cu14",
    "placements",
]
