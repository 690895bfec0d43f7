"""Charges of the core, the halides and the phosphines add up to the cluster's."""

from __future__ import annotations

import numpy as np
import pytest

from qcdriver.geometry.fragment_charges import charges_by_fragment
from qcdriver.systems.au13ag12.model import RodModel, build_rod


def test_the_rod_is_made_of_its_core_its_halides_and_its_phosphines():
    rod = build_rod(RodModel(phosphine="PH3", halide="Br"))
    found = charges_by_fragment(rod, np.ones(len(rod.symbols)))
    assert found == {"core": 25, "Br": 8, "H3P": 40}


def test_fragments_lose_no_charge():
    rod = build_rod(RodModel(phosphine="PMe3", twist_deg=20))
    charges = np.random.default_rng(1).normal(size=len(rod.symbols))
    assert sum(charges_by_fragment(rod, charges).values()) == pytest.approx(charges.sum())
