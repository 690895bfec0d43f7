"""The family of the Cu14 cube: the names of its sites, its two sources of chirality, its hydrides."""

from __future__ import annotations

from qcdriver.errors import InputError
from qcdriver.models.molecule import Molecule
from qcdriver.systems.base import Column, Family
from qcdriver.systems.conformer_family import Bounds, Trait, contacts_against_start
from qcdriver.systems.cu14.atoms import Cu14, find_cu14
from qcdriver.systems.cu14.binding import hydrides_in_words
from qcdriver.systems.cu14.glance import Cu14Glance, glance_at_cu14
from qcdriver.systems.cu14.measures import Cu14Measures, measure_cu14


class Cu14Family(Family[Cu14]):
    """The face-centred cube Cu14 with three thiolates about a three-fold axis."""

    name = "cu14"
    Measures = Cu14Measures
    comparison_rows = (
        Column("skew of S3, deg", lambda cu14: _signed(cu14.skew_deg, 1)),
        Column("shift of side, A", lambda cu14: _signed(cu14.side_shift_angstrom, 3)),
        Column("shift of rim, A", lambda cu14: _signed(cu14.base_shift_angstrom, 3)),
    )
    site_note = "side, rim: centres of the edges of tetrahedron 1 from its apex, and of its base"
    between_parts = "between tetrahedra"
    conformer_columns = (
        Column("hand", lambda cu14: cu14.hand, "left"),
        Column("metal %", lambda cu14: f"{cu14.metal_percent:.2f}"),
        Column("S3 %", lambda cu14: f"{cu14.s3_percent:.2f}"),
        Column("symmetry, off by A", lambda cu14: f"{cu14.symmetry} {cu14.off_symmetry_angstrom:.3f}"),
        Column("hydrides", lambda cu14: cu14.hydrides, "left"),
    )
    conformer_title = "Chirality and hydrides"
    summary_member = "cu14"

    def recognise(self, molecule: Molecule) -> Cu14 | None:
        """Find the cube and its thiolates."""
        try:
            return find_cu14(molecule)
        except InputError:
            return None

    def site_names(self, found: Cu14) -> dict[int, str]:
        """Name the Cu atoms: the vertices of the two tetrahedra, and the middles of the edges of tetrahedron 1."""
        places = {
            "apex1": (found.apex1,),
            "base1": found.base1,
            "side": found.side_centres,
            "rim": found.base_centres,
            "apex2": (found.apex2,),
            "base2": found.base2,
        }
        return {atom: name for name, atoms in places.items() for atom in atoms}

    def site_parts(self, found: Cu14) -> dict[int, str]:
        """Return the tetrahedron that each Cu belongs to."""
        first = dict.fromkeys(found.tetrahedron1, "tetrahedron 1")
        return first | dict.fromkeys((found.apex2, *found.base2), "tetrahedron 2")

    def chiral_parts(self, found: Cu14) -> dict[str, tuple[int, ...]]:
        """Name the larger tetrahedron, and the S3 triangle with the base that it is turned against."""
        return {"tetrahedron 1": found.tetrahedron1, "S3": found.s3_triangle}

    def guides(self, molecule: Molecule, found: Cu14) -> dict[str, tuple[int, ...]]:
        """Return the three-fold axis, and the triangle of S."""
        return {"axis": (found.apex1, found.apex2), "S3": (*found.sulfurs, found.sulfurs[0])}

    def hand(self, found: Cu14) -> str:
        """Return "right" or "left"."""
        return found.handedness

    def measures(self, molecule: Molecule, found: Cu14) -> Cu14Measures:
        """Measure the distortions that make a conformer chiral."""
        return measure_cu14(molecule)

    def glance(self, molecule: Molecule, found: Cu14) -> Cu14Glance:
        """Return hand, chirality in percent, symmetry and hydrides."""
        return glance_at_cu14(molecule, found)

    def traits(self, molecule: Molecule, found: Cu14, start: Molecule | None, bounds: Bounds) -> tuple[Trait, ...]:
        """Return how the hydrides bind and in which sites, and the contacts that are open against the start."""
        hydrides = Trait(kind="hydrides", word=hydrides_in_words(molecule))
        return (hydrides, *contacts_against_start(molecule, start, bounds))


def _signed(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:+.{decimals}f}"
