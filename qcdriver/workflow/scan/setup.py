"""What an input scans: its coordinates in a molecule, its grid with that one's symmetry, where a conformer lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qcdriver.errors import InputError
from qcdriver.geometry.coordinates import measured
from qcdriver.models.coordinates import Angle, Combination, Coordinate, Distance, Term, Torsion
from qcdriver.models.molecule import Molecule
from qcdriver.systems.registry import family_coordinate, recognise
from qcdriver.workflow.scan.grid import Grid, Operation, Values
from qcdriver.workflow.scan.settings import ScanCoordinate, ScanSettings
from qcdriver.workflow.scan.symmetry import all_carried
from qcdriver.workflow.scan.wavefront import Seed

_IMAGES = ((True, False), (True, True), (False, True))
"""Whether an image is the mirror image, and whether it is seen from the other end."""


def scanned_coordinates(settings: ScanSettings, molecule: Molecule, near: Sequence[float]) -> tuple[Coordinate, ...]:
    """Find the coordinates of a scan in a molecule; of a rod's equivalent numberings, those with values near these.

    Parameters
    ----------
    near
        A value for each coordinate, in degrees or bohr.

    Raises
    ------
    InputError
        It has none: it is no rod, or atoms do not exist or lie on a line.
    """
    found = []
    for number, (asked, value) in enumerate(zip(settings.coordinate, near, strict=True)):
        try:
            coordinate = _coordinate(asked, molecule, value)
            measured(coordinate, molecule.geometry)
        except InputError as error:
            raise InputError(f"scan.coordinate.{number}: {error}") from None
        found.append(coordinate)
    return tuple(found)


def _coordinate(coordinate: ScanCoordinate, molecule: Molecule, near: float) -> Coordinate:
    if coordinate.of_family:
        return family_coordinate(coordinate.kind, molecule, near)
    if coordinate.rings:
        assert coordinate.axis is not None
        start, end = coordinate.axis
        fours = tuple((a, start, end, b) for a, b in zip(*coordinate.rings, strict=True))
        return Torsion(kind="twist", quadruples=fours, period_deg=coordinate.period_deg)
    if coordinate.terms:
        terms = (Term(weight=term.weight, coordinate=_simple(term.atoms)) for term in coordinate.terms)
        return Combination(terms=tuple(terms))
    assert coordinate.atoms is not None
    return _simple(coordinate.atoms, coordinate.period_deg)


def _simple(atoms: tuple[int, ...], period_deg: float | None = None) -> Distance | Angle | Torsion:
    """Make the coordinate that so many atoms have."""
    if len(atoms) == 2:
        return Distance(atoms=atoms)
    if len(atoms) == 3:
        return Angle(atoms=atoms)
    a, b, c, d = atoms
    return Torsion(kind="dihedral", quadruples=((a, b, c, d),), period_deg=period_deg)


def scan_grid(settings: ScanSettings, molecule: Molecule) -> Grid:
    """Make the grid of a scan, with what makes points of it equal.

    The images of a known cluster, and the signs that its coordinates take in them, are its family's. With `mirror`,
    dihedrals change their sign.

    Raises
    ------
    InputError
        As `scanned_coordinates`.
    """
    axes = tuple(coordinate.grid for coordinate in settings.coordinate)
    coordinates = scanned_coordinates(settings, molecule, [axis[0] for axis in axes])
    lengths = tuple(coordinate.is_length for coordinate in settings.coordinate)
    return Grid(axes, tuple(map(_period, coordinates)), lengths, _operations(settings, molecule))


def _period(coordinate: Coordinate) -> float | None:
    if coordinate.kind in ("twist", "belt", "dihedral"):
        return getattr(coordinate, "period_deg", None) or 360.0
    return None


def _operations(settings: ScanSettings, molecule: Molecule) -> tuple[Operation, ...]:
    same = (1,) * len(settings.coordinate)
    found = {same: Operation(same)}
    mirror_image = _IMAGES[:1] if settings.mirror else ()
    for mirrored, flipped in (
        _IMAGES if all(coordinate.of_family for coordinate in settings.coordinate) else mirror_image
    ):
        signs = tuple(_sign(coordinate, molecule, mirrored, flipped) for coordinate in settings.coordinate)
        if 0 not in signs and signs != same:
            found[signs] = Operation(signs, mirrored, flipped)  # of two images with these signs, the last
    return tuple(found.values())


def _sign(coordinate: ScanCoordinate, molecule: Molecule, mirrored: bool, flipped: bool) -> int:
    """Return the sign that a coordinate takes in an image, 1 or -1; 0 if the molecule has no such image."""
    if not coordinate.of_family:
        return -1 if coordinate.changes_hand else 1
    known = recognise(molecule)
    return known.family.symmetry_sign(coordinate.kind, mirrored, flipped) if known else 0


def seeds_of(settings: ScanSettings, grid: Grid, label: str, key: str, molecule: Molecule) -> list[Seed]:
    """Find a conformer on the grid, at every unique point that symmetry puts it on.

    A conformer that lies beyond the ends of the grid starts at the unique point nearest to it or to its image.
    """
    middle = [(axis[0] + axis[-1]) / 2 for axis in grid.axes]
    coordinates = scanned_coordinates(settings, molecule, middle)
    values = tuple(
        measured(coordinate, molecule.geometry, near) for coordinate, near in zip(coordinates, middle, strict=True)
    )
    seed = Seed(label, key, molecule, coordinates, values)
    seeds = {}
    for operation, equal in grid.images(values):
        index = grid.nearest(equal)
        if grid.home(index)[0] == index and index not in seeds:
            seeds[index] = _carried(seed, operation, equal)
    if seeds:
        return list(seeds.values())
    _, operation = grid.home(grid.nearest(values))
    return [_carried(seed, operation, tuple(s * value for s, value in zip(operation.signs, values, strict=True)))]


def _carried(seed: Seed, operation: Operation, values: Values) -> Seed:
    """Carry a seed to where symmetry makes its values these."""
    molecule = seed.molecule.mirrored() if operation.mirrored else seed.molecule
    coordinates = all_carried(seed.coordinates, operation, molecule, values)
    return replace(seed, molecule=molecule, coordinates=coordinates, values=values)
