"""What `[thermochemistry]` finds, typed."""

from __future__ import annotations

from qcdriver.models.base import Frozen


class ConformerFreeEnergy(Frozen):
    """One conformer at one temperature; `weight` is 2 where the mirror image is another structure."""

    conformer: str
    temperature_k: float
    energy_kcal_mol: float
    gibbs_kcal_mol: float
    gibbs_raised_kcal_mol: float
    weight: int
    population_percent: float


class Infrared(Frozen):
    """The harmonic wavenumbers of a conformer that absorb, and how strongly; None: the engine gave no dipoles.

    Nothing is scaled: harmonic wavenumbers lie above measured ones.
    """

    conformer: str
    wavenumbers_cm: tuple[float, ...]
    intensities_km_mol: tuple[float, ...] | None


class Average(Frozen):
    """Means over the structures of a landscape at one temperature.

    Attributes
    ----------
    scan_points
        Whether over the points of the scan, which are no minima, by their energies alone; else over the conformers by
        their free energies.
    coordinates
        Means of the scanned coordinates, each with its unit in its name, where symmetry brings every structure into
        the part of the scan that is computed.
    belts_percent
        How often each belt is there, in the family's word (`Family.point_note`).
    """

    scan_points: bool
    level: str
    temperature_k: float
    n_structures: int
    gap_ev: float | None
    coordinates: dict[str, float]
    belts_percent: dict[str, float]


class AtTemperature(Frozen):
    """Populations at one temperature, of all species in their order.

    `lowest_percent`, `highest_percent`: with the energy of that species alone moved up and down by the scatter of the
    levels; None where there is one level.
    """

    temperature_k: float
    percent: tuple[float, ...]
    lowest_percent: tuple[float, ...] | None
    highest_percent: tuple[float, ...] | None


class EqualPopulations(Frozen):
    """Where two isomers are equally populated, beside a measured temperature.

    Attributes
    ----------
    cold, warm
        The one that has more at the lower end of the range, and the other.
    temperature_k
        Where they are equal, the lowest such temperature; None: nowhere in the range.
    lowest_k, highest_k
        The same with the energy difference moved by the scatter of the levels; None: unknown, or not in the range.
    measured_k, by
        Of `[experiment]`; None and empty where it says nothing of the two.
    apart_kcal_mol
        By how much the free energy of `warm` lies above that of `cold` at the measured temperature, else at both ends
        of the range.
    """

    cold: str
    warm: str
    temperature_k: float | None
    lowest_k: float | None
    highest_k: float | None
    measured_k: float | None
    by: str
    apart_kcal_mol: tuple[float, ...]


class Populations(Frozen):
    """Boltzmann's populations against temperature, each structure counted with its mirror image.

    Attributes
    ----------
    energies_of
        The level of the electronic energies: the highest that all conformers have; the thermal part is that of the
        vibrations.
    against, scatter_kcal_mol
        The level that it is compared with, and how far the two are off one another (`workflow.ranking`).
    species
        Isomers, each with all its conformers; the conformers where there is one isomer.
    left_out
        Conformers without a free energy.
    """

    energies_of: str
    against: str | None
    scatter_kcal_mol: float | None
    species: tuple[str, ...]
    left_out: tuple[str, ...]
    temperatures: tuple[AtTemperature, ...]
    equal: tuple[EqualPopulations, ...]


class Passage(Frozen):
    """The way over one saddle from one minimum to another, or to itself, at one temperature; energies from the first.

    `ways`: how many such saddles lead away from one structure of that minimum, beyond what its symmetry number counts:
    two where the saddle has a mirror image and the minimum has none, or where both its sides are the minimum's.
    `rate_per_s` is over all of them; `half_life_s` None: no number is large enough.
    """

    saddle: str
    start: str
    end: str
    temperature_k: float
    barrier_kcal_mol: float
    gibbs_barrier_kcal_mol: float
    wigner_factor: float
    ways: float
    rate_per_s: float
    half_life_s: float | None


class Moment(Frozen):
    """The populations of all minima of a time course at one time."""

    time_s: float
    populations_percent: tuple[float, ...]


class TimeCourse(Frozen):
    """Populations over time at one temperature.

    Attributes
    ----------
    equilibrium_percent
        Boltzmann's populations of the same minima.
    half_time_s, settled_s
        After which the population of the start is half of its way to equilibrium from it, and a hundredth; None: never.
    moments
        From where something happens to where all is over, each the root of two times later than the one before.
    asked
        After the days that the input asks for.
    """

    temperature_k: float
    equilibrium_percent: tuple[float, ...]
    half_time_s: float | None
    settled_s: float | None
    moments: tuple[Moment, ...]
    asked: tuple[Moment, ...]


class Kinetics(Frozen):
    """The master equation of the verified network, from one start.

    Attributes
    ----------
    start
        As the input says it.
    minimum
        The label of its minimum; None where none of the verified minima is that structure, and nothing follows.
    minima
        What can be reached from there, itself first.
    isomers
        The isomers whose lowest conformer each of these is.
    out_of_reach
        Minima to which no verified saddle leads.
    """

    start: str
    minimum: str | None
    minima: tuple[str, ...]
    isomers: tuple[tuple[str, ...], ...]
    out_of_reach: tuple[str, ...]
    courses: tuple[TimeCourse, ...]


class Thermochemistry(Frozen):
    """Free energies of a run's conformers, from the lowest at each temperature, and passages over its saddles."""

    level: str
    standard_state: str
    cutoff_cm: float
    alpha: float
    conformers: tuple[ConformerFreeEnergy, ...]
    passages: tuple[Passage, ...]
    infrared: tuple[Infrared, ...] = ()
    populations: Populations | None = None
    kinetics: Kinetics | None = None
    averages: tuple[Average, ...] = ()
