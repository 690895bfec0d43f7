"""Covalent radii: Cordero's, in bohr."""

import pytest

from qcdriver.geometry.radii import covalent_radii
from qcdriver.units import ANGSTROM


def test_radii_are_those_of_the_paper_in_the_order_of_the_atoms():
    """Table 2 of doi:10.1039/b801115j, in Angstrom."""
    published = {"H": 0.31, "C": 0.76, "P": 1.07, "S": 1.05, "Cl": 1.02, "Cu": 1.32, "Ag": 1.45, "Au": 1.36}
    assert covalent_radii(published) * ANGSTROM == pytest.approx(list(published.values()))
    assert covalent_radii(("Au", "H")) * ANGSTROM == pytest.approx([1.36, 0.31])
