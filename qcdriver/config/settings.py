"""An input file (TOML) becomes typed, frozen settings: one class a table, one line for every mistake in it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, ValidationError, model_validator

from qcdriver.config.resources import Machine, StageResources
from qcdriver.config.scan import ScanCoordinate, ScanSettings, Threshold
from qcdriver.config.variants import read_toml
from qcdriver.errors import InputError
from qcdriver.schema import Frozen

Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]
FileName = Annotated[str, Field(pattern=r"^[^\x00]+$")]


class RodIsomer(Frozen):
    """`[structure.isomers.LABEL]` of a rod: twist between the icosahedra, and of the belt, in degrees."""

    twist_deg: float = 0.0
    belt_deg: float = 0.0


class RodStructure(Frozen):
    """`[structure]` with source "au13ag12": models of [Au13Ag12(PR3)10X8]+."""

    source: Literal["au13ag12"]
    phosphine: Literal["PH3", "PMe3", "PPh3"] = "PH3"
    halide: Literal["Cl", "Br"] = "Cl"
    isomers: dict[Label, RodIsomer] = Field(min_length=1)


class Cu14Isomer(Frozen):
    """`[structure.isomers.LABEL]` of the copper cluster; what is left out is as `structures.cu14.Cu14Model` has it.

    `hydrides` = "all" makes an isomer LABEL.PLACEMENT of every placement of the hydrides that no symmetry relates.
    """

    hydrides: str | None = None
    thiolate_site: Literal["E2", "ER"] = "E2"
    handedness: Literal["right", "left"] | None = None
    shift_angstrom: float | None = Field(default=None, ge=-1.0, le=1.0)
    skew_deg: float | None = Field(default=None, ge=0.0, le=30.0)


class Cu14Structure(Frozen):
    """`[structure]` with source "cu14": models of [Cu14(SR)3(PR3)8H10]+; starts beyond the first are distorted."""

    source: Literal["cu14"]
    phosphine: Literal["PH3", "PMe3", "PPh3"] = "PH3"
    thiolate: Literal["SH", "SMe", "SiPr"] = "SH"
    isomers: dict[Label, Cu14Isomer] = Field(min_length=1)


class XyzIsomer(Frozen):
    """`[structure.isomers.LABEL]` of a file: its path, relative to the input file, and which molecule of several."""

    file: FileName
    frame: int | None = Field(default=None, ge=0)


class XyzStructure(Frozen):
    """`[structure]` with source "xyz": geometries as they are in files.

    Charge and multiplicity are those of the files' comment lines where they say them (a contradiction is refused), else
    these, else 0 and 1.
    """

    source: Literal["xyz"]
    molecular_charge: int | None = None
    molecular_multiplicity: int | None = Field(default=None, ge=1)
    isomers: dict[Label, XyzIsomer] = Field(min_length=1)


class CifIsomer(Frozen):
    """`[structure.isomers.LABEL]` of a crystal: which molecule of which file, by label, formula or role.

    Charge and multiplicity follow from the crystal's neutrality; where they do not, they are given here.
    """

    file: FileName
    pick: str = "cluster"
    block: str | None = None
    molecular_charge: int | None = None
    molecular_multiplicity: int | None = Field(default=None, ge=1)


class CifStructure(Frozen):
    """`[structure]` with source "cif": molecules of crystal structures, their ligands cut down if asked.

    `disorder` chooses a group for an assembly, where another than the most occupied one is wanted. `hydrides` fills the
    sites of a placement in a Cu14 cluster whose structure has none ("all": an isomer LABEL.PLACEMENT of each).
    """

    source: Literal["cif"]
    phosphine: Literal["PH3", "PMe3"] | None = None
    thiolate: Literal["SH", "SMe"] | None = None
    alkynyl: Literal["C2H", "C2Me"] | None = None
    disorder: dict[str, str] = Field(default_factory=dict)
    hydrides: str | None = None
    isomers: dict[Label, CifIsomer] = Field(min_length=1)


class PrescreenSettings(Frozen):
    """`[prescreen]`: xTB relaxation of every candidate, and which go on.

    `starts` ligand placements an isomer, drawn from `seed`. `hold_metal` keeps the metal atoms where they are built or
    read, in every relaxation and in the scan, which then turns one rigid half against the other. `preoptimize`
    relaxes the ligands around the held core first. A `cheap` pass for all, with an isomer's own coordinate (the twist
    of a rod) held; a `tight` one, free, for those within `window_kcal_mol` of the lowest, at most `max_tight` an
    isomer, dropped when the coordinate then moves by more than `max_drift_deg`; `max_kept` in all go on to DFT.
    `keep_each_isomer`: the best of every isomer is tightened and kept, however high it lies; false lets the isomers of
    a search compete, with `max_tight` counted over all.
    """

    engine: Literal["auto", "xtb", "tblite"] = "auto"
    method: Literal["GFN1-xTB", "GFN2-xTB"] = "GFN1-xTB"
    keywords: dict[str, JsonValue] = Field(default_factory=dict)
    hold_metal: bool = False
    preoptimize: Literal["GFN-FF", "none"] = "GFN-FF"
    starts: int = Field(default=1, ge=1, le=1000)
    seed: int = 0
    cheap: Threshold = Threshold(max_force_ev_angstrom=0.05, energy_change_ev=1e-3)
    tight: Threshold = Threshold(max_force_ev_angstrom=0.01, energy_change_ev=1e-4)
    max_tight: int = Field(default=2, ge=1)
    keep_each_isomer: bool = True
    max_drift_deg: float = Field(default=10.0, gt=0)
    window_kcal_mol: float = Field(default=10.0, gt=0)
    max_kept: int = Field(default=4, ge=1)
    duplicate_kcal_mol: float = Field(default=0.1, ge=0)
    duplicate_angstrom: float = Field(default=0.1, gt=0)


class DftSettings(Frozen):
    """`[dft]`: single points on the survivors; `keywords` are the engine's own.

    While the stage goes on, every point starts from the orbitals of its nearest neighbour; `keep_checkpoints` leaves
    them in RUN/checkpoints afterwards, for cube files.
    """

    engine: Literal["pyscf"] = "pyscf"
    method: str
    basis: str
    device: Literal["auto", "cpu", "gpu"] = "auto"
    keep_checkpoints: bool = False
    keywords: dict[str, JsonValue] = Field(default_factory=dict)


class StationarySettings(Frozen):
    """`[stationary]`: the minima of the scan relaxed freely to `threshold`, the saddles between them, all verified.

    At the scan's level. Minima within `duplicate_kcal_mol` and `duplicate_angstrom` are one, also mirror images. A band
    of `images` climbs each pass of the grid until no force on it exceeds `max_force_ev_angstrom`; from its top the
    saddle is found to `threshold`. Wavenumbers from the Hessian of all atoms, or, `core_only`, of the metal, halides,
    hydrides and sulfur.
    """

    threshold: Threshold = Threshold(max_force_ev_angstrom=0.01, energy_change_ev=1e-4)
    images: int = Field(default=7, ge=3, le=99)
    max_force_ev_angstrom: float = Field(default=0.05, gt=0)
    max_steps: int = Field(default=500, gt=0)
    core_only: bool = False
    duplicate_kcal_mol: float = Field(default=0.1, ge=0)
    duplicate_angstrom: float = Field(default=0.1, gt=0)


class InterconversionSettings(Frozen):
    """`[interconversion]`: paths from each conformer to its mirror image and to the next.

    A band of `images` between the ends, as the prescreen's `method` computes it, until no force on it exceeds
    `max_force_ev_angstrom`.
    """

    images: int = Field(default=7, ge=3, le=99)
    max_force_ev_angstrom: float = Field(default=0.05, gt=0)
    max_steps: int = Field(default=500, gt=0)


class MirrorSettings(Frozen):
    """`[mirror]`: the mirror image of the lowest conformer is computed too, at the level that ranks last.

    Equal within `tolerance_hartree`, the two show that the level is sound there; what is not is a failure of the run.
    """

    tolerance_hartree: float = Field(default=1e-6, gt=0)


class Experiment(Frozen):
    """`[experiment]`: measured gaps by isomer label, shown beside the computed ones, with where they come from."""

    gap_ev: dict[Label, float]
    source: str


class Settings(Frozen):
    """A whole input file; a stage without a table is not run."""

    title: str
    structure: Annotated[RodStructure | Cu14Structure | XyzStructure | CifStructure, Field(discriminator="source")]
    prescreen: PrescreenSettings = PrescreenSettings()
    dft: DftSettings | None = None
    scan: ScanSettings | None = None
    stationary: StationarySettings | None = None
    interconversion: InterconversionSettings | None = None
    mirror: MirrorSettings | None = None
    experiment: Experiment | None = None
    resources: Machine = Machine()

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.structure.source in ("xyz", "cif") and self.prescreen.starts != 1:
            raise ValueError("prescreen.starts: geometries from files have one start; leave it out")
        if self.scan and self.scan.relax == "dft" and self.dft is None:
            raise ValueError('scan.relax = "dft" needs a table [dft]')
        if self.stationary and self.scan is None:
            raise ValueError("[stationary] needs a table [scan], from whose grid it starts")
        if self.stationary and self.prescreen.hold_metal:
            raise ValueError("[stationary] needs prescreen.hold_metal = false: held metal has no free minimum")
        if self.experiment:
            for label in self.experiment.gap_ev:
                if label not in self.structure.isomers:
                    raise ValueError(
                        f"experiment.gap_ev: {label!r} is no isomer; there are {', '.join(self.structure.isomers)}"
                    )
        return self


def read_settings(path: Path) -> Settings:
    """Read and check an input file, or a variant of one (NAME.toml@LABEL).

    Raises
    ------
    InputError
        As `read_toml`, or it holds something wrong; a line for each mistake names file, key and value.
    """
    raw = read_toml(path)
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        lines = dict.fromkeys(_line(entry) for entry in error.errors())  # one of a union speaks for all
        raise InputError("\n".join(f"{path}: {line}" for line in lines)) from None


def _line(entry: Any) -> str:
    """Say one validation error in the user's words: key, value, and what would be right."""
    location = [str(part) for part in entry["loc"]]
    if entry["type"] in ("union_tag_invalid", "union_tag_not_found"):
        given = entry["input"].get("source") if isinstance(entry["input"], dict) else None
        return f"structure.source = {given!r}: there are {', '.join(_STRUCTURES)}"
    source = ""
    if location[:1] == ["structure"] and len(location) > 1:
        source = location.pop(1)  # the discriminator's tag is not in the file
    if location[:2] == ["scan", "dft_points"]:
        words = '"top", "stationary", "all", "none" or a list of values in degrees or Angstrom'
        return f"scan.dft_points = {entry['input']!r}: {words} belongs here"
    if location == ["scan", "coordinate"] and entry["type"] == "tuple_type":
        given = entry["input"]
        return f"scan.coordinate = {given!r}: a table [[scan.coordinate]] with kind = {given!r} belongs here"
    if location[-1:] == ["[key]"]:
        return f"{'.'.join(location[:-1])}: a label is made of letters, digits and _ . + -"
    key = ".".join(location)
    if entry["type"] == "extra_forbidden":
        return f"{key}: unknown key{_suggestion(location, source)}"
    if entry["type"] == "missing":
        return f"{key}: missing; it is required"
    if entry["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"{key} = {entry['input']!r}: a table belongs here"
    message = entry["msg"].removeprefix("Value error, ")
    if not location or entry["type"] == "value_error":
        return f"{key}: {message}" if key else message
    return f"{key} = {entry['input']!r}: {message[0].lower()}{message[1:]}"


_STRUCTURES: dict[str, tuple[type[Frozen], type[Frozen]]] = {
    "au13ag12": (RodStructure, RodIsomer),
    "cu14": (Cu14Structure, Cu14Isomer),
    "xyz": (XyzStructure, XyzIsomer),
    "cif": (CifStructure, CifIsomer),
}
_TABLES: dict[str, type[Frozen]] = {
    "": Settings,
    "prescreen": PrescreenSettings,
    "dft": DftSettings,
    "scan": ScanSettings,
    "coordinate": ScanCoordinate,
    "stationary": StationarySettings,
    "interconversion": InterconversionSettings,
    "mirror": MirrorSettings,
    "experiment": Experiment,
    "resources": Machine,
    "cheap": Threshold,
    "tight": Threshold,
    "threshold": Threshold,
}


def _suggestion(location: list[str], source: str) -> str:
    """Name the known key that looks most like the unknown one, or all of them."""
    if source:
        model = _STRUCTURES[source]["isomers" in location[:-1]]
    elif location[0] == "resources" and len(location) > 2:
        model = StageResources
    else:
        model = _TABLES[next((part for part in reversed(location[:-1]) if part in _TABLES), "")]
    known = sorted(model.model_fields)
    close = difflib.get_close_matches(location[-1], known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; this table knows {', '.join(known)}"
