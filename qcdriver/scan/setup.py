"""What an input scans: its coordinates in a molecule, its grid with that one's symmetry, where a conformer lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from qcdriver.config.scan import ScanCoordinate, ScanSettings
from qcdriver.errors import InputError
from qcdriver.relaxation.coordinates import measured
from qcdriver.scan.grid import Grid, Operation, Values
from qcdriver.scan.symmetry import all_carried
from qcdriver.scan.wavefront import Seed
from qcdriver.schema import Angle, Combination, Coordinate, Distance, Molecule, Term, Torsion
from qcdriver.structures.rod import belt_coordinate, twist_coordinate


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
    for number, (each, value) in enumerate(zip(settings.coordinate, near, strict=True)):
        try:
            coordinate = _coordinate(each, molecule, value)
            measured(coordinate, molecule.geometry)
        except InputError as error:
            raise InputError(f"scan.coordinate.{number}: {error}") from None
        found.append(coordinate)
    return tuple(found)


def _coordinate(each: ScanCoordinate, molecule: Molecule, near: float) -> Coordinate:
    if each.kind == "belt":
        return belt_coordinate(molecule, near)
    if each.kind == "twist" and each.rings is None:
        return twist_coordinate(molecule, near)
    if each.kind == "twist":
        assert each.rings is not None
        assert each.axis is not None
        start, end = each.axis
        fours = tuple((a, start, end, b) for a, b in zip(*each.rings, strict=True))
        return Torsion(kind="twist", quadruples=fours, period_deg=each.period_deg)
    if each.terms:
        terms = (Term(weight=term.weight, coordinate=_simple(term.atoms)) for term in each.terms)
        return Combination(terms=tuple(terms))
    assert each.atoms is not None
    return _simple(each.atoms, each.period_deg)


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

    A rod's mirror image and its other end are known: both change the sign of the belt, the mirror that of the twist.
    With `mirror`, dihedrals change their sign.

    Raises
    ------
    InputError
        As `scanned_coordinates`.
    """
    axes = tuple(each.grid for each in settings.coordinate)
    coordinates = scanned_coordinates(settings, molecule, [axis[0] for axis in axes])
    lengths = tuple(each.is_length for each in settings.coordinate)
    return Grid(axes, tuple(map(_period, coordinates)), lengths, _operations(settings))


def _period(coordinate: Coordinate) -> float | None:
    if coordinate.kind in ("twist", "belt", "dihedral"):
        return getattr(coordinate, "period_deg", None) or 360.0
    return None


def _operations(settings: ScanSettings) -> tuple[Operation, ...]:
    kinds = [each.kind for each in settings.coordinate]
    same = (1,) * len(kinds)
    if all(each.kind in ("twist", "belt") and each.rings is None for each in settings.coordinate):
        found = {
            same: Operation(same),
            **{
                signs: Operation(signs, mirrored, flipped)
                for mirrored, flipped in ((True, False), (True, True), (False, True))
                if (signs := _rod_signs(kinds, mirrored, flipped)) != same
            },
        }
        return tuple(found.values())
    mirrored = tuple(-1 if each.changes_hand else 1 for each in settings.coordinate)
    return (Operation(same), Operation(mirrored, mirrored=True)) if settings.mirror else (Operation(same),)


def _rod_signs(kinds: Sequence[str], mirrored: bool, flipped: bool) -> tuple[int, ...]:
    of_kind = {"twist": -1 if mirrored else 1, "belt": -1 if mirrored != flipped else 1}
    return tuple(of_kind[kind] for kind in kinds)


def seeds_of(settings: ScanSettings, grid: Grid, label: str, key: str, molecule: Molecule) -> list[Seed]:
    """Find a conformer on the grid, at every unique point that symmetry puts it on.

    A conformer that lies beyond the ends of the grid starts at the unique point nearest to it or to its image.
    """
    middle = [(axis[0] + axis[-1]) / 2 for axis in grid.axes]
    coordinates = scanned_coordinates(settings, molecule, middle)
    values = tuple(measured(each, molecule.geometry, near) for each, near in zip(coordinates, middle, strict=True))
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
