"""Ions and solvents of crystals, known by their composition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcdriver.io.cif.formula import Composition, difference, hill, parse_formula

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qcdriver.io.cif.formula import Moiety

_IONS = {
    **dict.fromkeys("F Cl Br I I3 Br3 BF4 PF6 AsF6 SbF6 ClO4 NO3 N3 CNO CNS CN BH4 ReO4 MnO4".split(), -1),
    **dict.fromkeys("CF3SO3 CH3SO3 C7H7SO3 HSO4 HCO3 CHO2 C2H3O2 C2F3O2 C7H5O2 C2F6S2O4N".split(), -1),
    **dict.fromkeys("BC24H20 BC24F20 BC32H12F24 AlC16F36O4 CB11H12 C3N3 C5N3".split(), -1),
    **dict.fromkeys("AuCl2 AuBr2 AuI2 AuC2N2 AuCl4 AuBr4 AgC2N2 AgCl2 CuCl2 CuBr2 CuI2 CuC2N2".split(), -1),
    **dict.fromkeys("FeCl4 FeBr4 GaCl4 InCl4 TlCl4 AlCl4 SnCl3 SnCl5 ZnCl3 HgI3 HgCl3 HgBr3 SbCl6".split(), -1),
    **dict.fromkeys("SO4 S2O8 CO3 C2O4 SiF6 ZnCl4 ZnBr4 CoCl4 CuCl4 CuBr4 MnCl4 NiCl4 CdCl4 HgCl4 HgI4".split(), -2),
    **dict.fromkeys("PdCl4 PtCl4 PtCl6 SnCl6 Cu2Cl6 Cu2Cl4 Hg2Cl6 W6O19 Mo6O19 B12H12 B10H10".split(), -2),
    **dict.fromkeys("PO4 PW12O40 PMo12O40".split(), -3),
    **dict.fromkeys("Li Na K Rb Cs Ag Tl NH4 H3O C5NH6 P2NC36H30 AsC24H20".split(), 1),
    **dict.fromkeys("CoC10H10 CoC20H30 KC12H24O6 NaC10H20O5 KN2C18H36O6 NaN2C18H36O6 NO N2H5".split(), 1),
    **dict.fromkeys("Mg Ca Sr Ba Zn MgH12O6 CaH12O6 ZnH12O6".split(), 2),
}

_SOLVENTS = {
    "water": "H2O",
    "ammonia": "NH3",
    "methanol": "CH4O",
    "ethanol": "C2H6O",
    "propanol": "C3H8O",
    "butanol or diethyl ether": "C4H10O",
    "acetonitrile": "C2H3N",
    "acetone": "C3H6O",
    "dichloromethane": "CH2Cl2",
    "chloroform": "CHCl3",
    "carbon tetrachloride": "CCl4",
    "dichloroethane": "C2H4Cl2",
    "tetrachloroethane": "C2H2Cl4",
    "benzene": "C6H6",
    "toluene": "C7H8",
    "xylene": "C8H10",
    "mesitylene": "C9H12",
    "fluorobenzene": "C6H5F",
    "difluorobenzene": "C6H4F2",
    "trifluorotoluene": "C7H5F3",
    "chlorobenzene": "C6H5Cl",
    "dichlorobenzene": "C6H4Cl2",
    "nitrobenzene": "C6H5NO2",
    "benzonitrile": "C7H5N",
    "nitromethane": "CH3NO2",
    "tetrahydrofuran": "C4H8O",
    "dioxane or ethyl acetate": "C4H8O2",
    "dimethoxyethane": "C4H10O2",
    "methyl tert-butyl ether": "C5H12O",
    "diisopropyl ether": "C6H14O",
    "pentane": "C5H12",
    "hexane": "C6H14",
    "heptane": "C7H16",
    "octane": "C8H18",
    "cyclohexane": "C6H12",
    "dimethylformamide": "C3H7NO",
    "dimethylacetamide": "C4H9NO",
    "N-methylpyrrolidone": "C5H9NO",
    "dimethyl sulfoxide": "C2H6OS",
    "pyridine": "C5H5N",
    "triethylamine": "C6H15N",
    "carbon disulfide": "CS2",
    "carbon dioxide": "CO2",
    "dinitrogen": "N2",
    "acetic acid": "C2H4O2",
}


def is_known(composition: Mapping[str, float]) -> bool:
    """Return whether a composition is that of a known ion or solvent."""
    formula = hill(composition)
    return formula in ION_FORMULAS or formula in _SOLVENT_FORMULAS


@dataclass(frozen=True)
class Species:
    """The molecules a crystal is likely to hold, for choices that occupancies and distances leave open."""

    moieties: Sequence[Moiety]

    def likelihood(self, composition: Mapping[str, float]) -> int:
        """Rank a composition.

        3: named by the file's moiety formula; 2: a known ion or solvent; 1: a known solvent without its hydrogens,
        which many files lack; 0: anything else.
        """
        if any(not difference(composition, moiety.composition) for moiety in self.moieties):
            return 3
        if is_known(composition):
            return 2
        return int(hill(composition) in _BARE_SOLVENTS)


def named_species() -> list[tuple[str, Composition]]:
    """List all known solvents by name and ions by formula."""
    solvents = [(name, _formula(text)) for name, text in _SOLVENTS.items()]
    return solvents + [(formula, _formula(formula)) for formula in ION_FORMULAS]


def _formula(text: str) -> Composition:
    composition = parse_formula(text)
    assert composition is not None
    return composition


ION_FORMULAS = {hill(_formula(text)): charge for text, charge in _IONS.items()}
"""Hill formula to charge."""

_SOLVENT_FORMULAS = {hill(_formula(text)) for text in _SOLVENTS.values()}

SOLVENT_FRAMES = [
    (name, hill({s: n for s, n in _formula(text).items() if s != "H"}), _formula(text).get("H", 0))
    for name, text in _SOLVENTS.items()
]
"""Name, Hill formula of all atoms but hydrogen, and number of hydrogens of each solvent."""

_BARE_SOLVENTS = {frame for _, frame, hydrogens in SOLVENT_FRAMES if hydrogens}
