"""The family of the bi-icosahedral rod: its coordinates, the names of its sites and its measures."""

from __future__ import annotations

from qcdriver.models.coordinates import AngularTarget
from qcdriver.models.molecule import Molecule
from qcdriver.systems.au13ag12.atoms import Rod, by_azimuth, find_rod
from qcdriver.systems.au13ag12.conformer_traits import ROD_BOUNDS, rod_traits
from qcdriver.systems.au13ag12.measures import (
    RodMeasures,
    belt_coordinate,
    measure_rod,
    twist_coordinate,
    twist_target,
)
from qcdriver.systems.base import Column, Family
from qcdriver.systems.conformer_family import Bounds, Trait


class RodFamily(Family[Rod]):
    """The rod Au13Ag12: two icosahedra that share a vertex and turn against each other, a belt of halides between."""

    name = "rod"
    Measures = RodMeasures
    coordinates = {"twist": twist_coordinate, "belt": belt_coordinate}  # noqa: RUF012  # nobody changes it
    comparison_rows = (
        Column("twist, deg", lambda rod: f"{rod.twist_deg:.1f}"),
        Column("belt", lambda rod: rod.belt),
        Column("bend, deg", lambda rod: f"{rod.bend_deg:.1f}"),
    )
    conformer_columns = (Column("twist\ndeg", lambda rod: f"{round(rod.twist_deg, 1) + 0.0:.1f}"),)
    summary_member = "measures"
    bounds = ROD_BOUNDS

    def recognise(self, molecule: Molecule) -> Rod | None:
        """Find the rod."""
        return find_rod(molecule)

    def site_names(self, found: Rod) -> dict[int, str]:
        """Name metals and halides: apex, Au5, centre, Ag5, shared; belt and terminal."""
        return {
            found.shared: "shared",
            **dict.fromkeys(found.centres, "centre"),
            **dict.fromkeys(found.apices, "apex"),
            **dict.fromkeys(found.gold_rings[0] + found.gold_rings[1], "Au5"),
            **dict.fromkeys(found.silver_rings[0] + found.silver_rings[1], "Ag5"),
            **dict.fromkeys(found.belt_halides, "belt"),
            **dict.fromkeys(found.terminal_halides, "terminal"),
        }

    def measures(self, molecule: Molecule, found: Rod) -> RodMeasures:
        """Measure twist, belt and mean distances."""
        return measure_rod(molecule)

    def traits(self, molecule: Molecule, found: Rod, start: Molecule | None, bounds: Bounds) -> tuple[Trait, ...]:
        """Return rotamer, bend, open contacts and belt; nothing is compared with the start."""
        return rod_traits(molecule, found, bounds)

    def point_note(self, molecule: Molecule, found: Rod) -> str:
        """Return how the belt halides bind, "5d+1q"."""
        return measure_rod(molecule).belt

    def guides(self, molecule: Molecule, found: Rod) -> dict[str, tuple[int, ...]]:
        """Return the axis from apex to apex, and the ring of the belt's halides."""
        axis = (found.apices[0], found.centres[0], found.shared, found.centres[1], found.apices[1])
        belt = by_azimuth(molecule.geometry, found.belt_halides, *molecule.geometry[list(found.centres)])
        return {"axis": axis, "belt": (*belt, *belt[:1])}

    def target(self, molecule: Molecule, found: Rod) -> AngularTarget:
        """Return the twist at its value."""
        return twist_target(molecule, measure_rod(molecule).twist_deg)

    def symmetry_sign(self, kind: str, mirrored: bool, flipped: bool) -> int:
        """Return the sign: the mirror image and the other end both change the belt's, the mirror alone the twist's."""
        changed = mirrored if kind == "twist" else mirrored != flipped
        return -1 if changed else 1
