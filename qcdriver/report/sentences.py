"""Codes and facts become English, here alone; no program reads what comes out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qcdriver.models.verdicts import (
    Above,
    BondChange,
    Code,
    Curvature,
    Difference,
    Drift,
    Error,
    Limit,
    Missed,
    Missing,
    Moved,
    Note,
    OldText,
    Purpose,
    Twin,
    Verdict,
)
from qcdriver.units import KCAL_MOL, time_span
from qcdriver.workflow.conversions.findings import ConversionFound, Kind
from qcdriver.workflow.findings import NetworkMinimum, Ranking, Representative
from qcdriver.workflow.sensitivity.findings import Answer, Sensitivity
from qcdriver.workflow.spectrum.findings import PeaksFound, Redder, Spectrum
from qcdriver.workflow.tables import ZERO_CELSIUS_K
from qcdriver.workflow.thermochemistry.findings import EqualPopulations, Kinetics, Passage, Populations

_ERROR_SPEAKS_FOR_ITSELF = frozenset(
    {Purpose.SCAN_CHECK, Purpose.INTERCONVERSION, Purpose.SINGLE_POINT, Purpose.MIRROR_IMAGE}
)
"""What has no other reason to be dropped than its error: the message needs no word before it."""


_SHOWN_PAIRS = 6
"""Of many pairs that are undecided against the lowest conformer, so many are printed; `summary.json` has all."""


def sentence(verdict: Verdict) -> str | None:
    """Say why something was dropped, or what to know about it though it was kept.

    Returns
    -------
    str | None
        None where there is nothing to say of what was kept.
    """
    if verdict.code is Code.KEPT:
        return "; ".join(map(_words_of_note, verdict.notes)) or None
    return _words(verdict)


def _words_of_note(note: Note) -> str:
    match note.code, note.facts:
        case _, OldText(text=text):
            return text
        case Code.HELD, Drift() as drift:
            return f"held: set free it {_turned(drift)}"
        case Code.OPENED | Code.BONDS_BROKEN_AT_TOP, BondChange() as change:
            return _bonds(change)
        case Code.NOISE, Curvature(wavenumbers_cm=noise):
            return f"{' and '.join(map(_imaginary, noise))} 1/cm counted as noise"
        case Code.PUSHED_OFF, Curvature(pushed_off_cm=pushed):
            return f"pushed off a saddle, {' and '.join(dict.fromkeys(map(_imaginary, pushed)))} 1/cm"
        case Code.STATES_NOT_CONVERGED, Missing() as missing:
            return _not_converged(missing)
    raise AssertionError(f"no words for the note {note.code}")


def _words(verdict: Verdict) -> str:
    match verdict.code, verdict.facts:
        case _, OldText(text=text):
            return text
        case Code.NOT_BUILT, Error(message=message):
            return f"not built: {message}"
        case Code.NOT_CONVERGED | Code.KILLED | Code.FAILED, Error() as error:
            if verdict.purpose in _ERROR_SPEAKS_FOR_ITSELF:
                return error.message
            return f"not built: {error.message}" if verdict.purpose is Purpose.BUILD else _failed(error)
        case Code.NOT_VERIFIED, Error() as error:
            return f"not verified: {_failed(error)}"
        case Code.NOT_DRIVABLE, Error(message=message):
            return message
        case Code.FELL_APART, BondChange() as change:
            return f"fell apart: {_bonds(change)}"
        case Code.TURNED, Drift() as drift:
            return _turned(drift)
        case Code.ABOVE_WINDOW, Above(hartree=hartree, after=after):
            return f"{hartree * KCAL_MOL:.1f} kcal/mol above the lowest{f' after the {after} pass' if after else ''}"
        case Code.BEYOND_LIMIT, Limit(value=value, group=str(group)):
            return f"behind the {value} best of {group} after the cheap pass"
        case Code.BEYOND_LIMIT, Limit(setting=setting, value=value):
            return f"beyond {setting} = {value}"
        case Code.DUPLICATE | Code.MIRROR_IMAGE, Twin(label=label):
            return _same(verdict, label)
        case Code.MISSED_TARGET, Missed(target=target, reached=reached, point=point):
            return f"reached {reached:.2f} instead of {target:g} ({point})"
        case Code.HIGHER_THAN_KEPT, Above(hartree=hartree, against=against):
            return f"{hartree * KCAL_MOL:+.2f} kcal/mol against the structure from {against}, which was kept"
        case Code.UNREACHED, None:
            return "no neighbour has a structure to start from"
        case Code.NO_TOP, None:
            return "no top between its ends: the path only descends"
        case Code.NO_PATH, Twin(label=label):
            return f"no path: the {label}, where it would end, did not relax"
        case Code.NO_PATH, Error(message=message):
            return f"no path: {message}"
        case Code.LEFT_PATH, Moved(angstrom=far):
            return f"the search for the saddle left the path: an atom moved by {far:.1f} Angstrom"
        case Code.WRONG_CURVATURE, Curvature() as curvature:
            return _wrong(curvature)
        case Code.ENERGY_AGREES | Code.ENERGY_DIFFERS, Difference() as difference:
            return _differs(verdict, difference)
        case Code.STATES_NOT_CONVERGED, Missing() as missing:
            return _not_converged(missing)
    raise AssertionError(f"no words for {verdict.code}")


def _not_converged(missing: Missing) -> str:
    return f"{missing.count} of {missing.of} excited states did not converge"


def minimum_note(minimum: NetworkMinimum) -> str | None:
    """Say what to know about a minimum of a network; None if there is nothing."""
    if minimum.at_end:
        return "at the end of the scan, where the energy may go on falling"
    return sentence(minimum.verdict) if minimum.verdict else None


def representative_line(found: Representative) -> str | None:
    """Say what stands for an isomer whose lowest conformer lies beyond a bound; None if that lies within them."""
    if not found.beyond:
        return None
    bounds = " and ".join(found.beyond)
    if found.label == found.lowest:
        return f"{found.isomer}: no conformer is within {bounds}; the lowest, {found.label}, is {found.family}"
    return (
        f"{found.isomer}: the lowest, {found.lowest}, is {found.family_of_lowest}, beyond {bounds}; {found.label} "
        f"({found.family}) stands for {found.isomer}, {found.above_kcal_mol:.2f} kcal/mol higher"
    )


def ranking_lines(ranking: Ranking) -> Iterator[str]:
    """Say by which level conformers are ranked, how far levels are apart, and what that leaves undecided."""
    if ranking.against is None or ranking.scatter_kcal_mol is None:
        return
    yield (
        f"order by {ranking.level}; {ranking.against} differs from it by {ranking.scatter_kcal_mol:.2f} kcal/mol "
        f"on the difference of two conformers (root mean square over {_counted(ranking.n_pairs, 'pair')})"
    )
    undecided = [pair for pair in ranking.pairs if pair.decision.is_open]
    if not undecided:
        yield "every difference is larger than that, and both levels have one order"
    shown = [pair for pair in undecided if pair.lower == ranking.order[0]][:_SHOWN_PAIRS]
    for pair in shown:
        there = pair.kcal_mol_against
        other = "" if there is None else f", {_signed(there)} there"
        yield f"undecided: {pair.higher} {_signed(pair.kcal_mol)} kcal/mol against {pair.lower}{other}"
    if more := len(undecided) - len(shown):
        yield f"undecided: {_counted(more, 'pair')}{' more' * bool(shown)}, in summary.json"
    if ranking.window_kcal_mol is not None and ranking.window_kcal_mol < ranking.scatter_kcal_mol:
        yield (
            f"the prescreen's window_kcal_mol = {ranking.window_kcal_mol:g} is narrower than that: what it left out "
            f"may lie lowest at {ranking.level}"
        )


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0.0:+.2f}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _failed(error: Error) -> str:
    return f"{'not converged' if error.type == 'ConvergenceError' else 'failed'}: {error.message}"


def _turned(drift: Drift) -> str:
    return f"turned from {drift.asked_deg:g} to {drift.reached_deg:.1f} deg: no longer {drift.isomer}"


def _bonds(change: BondChange) -> str:
    names = [f"{symbol}{atom}" for symbol, atom in zip(change.symbols, change.atoms, strict=True)]
    plural = "s" * (change.count > 1)
    match change.change:
        case "donor_lost":
            return f"{names[0]} lost its bond to {names[1] if len(names) > 1 else 'any metal'}"
        case "skeleton_lost":
            return f"{names[0]} lost {change.count} of its {change.of} metal bonds"
        case "skeleton_split":
            return f"its metal is in {change.count} pieces, {names[0]} in the smallest"
        case "ligand_broken":
            return f"{change.count} bond{plural} broken in ligands, first {'-'.join(names)}"
        case "ligand_formed":
            return f"{change.count} bond{plural} formed in ligands, first {'-'.join(names)}"
        case "skeleton_formed":
            return f"{change.count} metal bond{plural} formed, first {'-'.join(names)}"
        case "skeleton_opened":
            return f"{change.count} metal bond{plural} opened, first {'-'.join(names)}"


def _same(verdict: Verdict, label: str) -> str:
    if verdict.purpose is Purpose.SADDLE:
        return f"the same as the {label}"
    same = "the mirror image of" if verdict.code is Code.MIRROR_IMAGE else "the same structure as"
    if verdict.purpose is Purpose.MINIMUM:
        return f"became {same} the {label}"
    return f"became {same} {label}" if verdict.purpose is Purpose.REFINEMENT else f"{same} {label}"


def _wrong(curvature: Curvature) -> str:
    below = ", ".join(map(_imaginary, curvature.wavenumbers_cm))
    wanted = "a saddle has exactly one" if curvature.wanted else "a minimum has none"
    pushes = len(curvature.pushed_off_cm)
    return f"imaginary wavenumbers: {f'{below} 1/cm' if below else 'none'}; {wanted}" + (
        f"; pushed {pushes} times in vain" if pushes else ""
    )


def _differs(verdict: Verdict, difference: Difference) -> str:
    if verdict.purpose is Purpose.SCAN_CHECK:
        return f"computed, its energy differs by {difference.hartree:.1e} hartree"
    return f"{difference.hartree:+.1e} hartree against {difference.against}; {difference.tolerance:.0e} are allowed"


def _imaginary(wavenumber_cm: float) -> str:
    return f"{abs(wavenumber_cm):.0f}i"


def sensitivity_notes(found: Sensitivity) -> list[str]:
    """Say of every conformer whether all levels put it on the same side of the reference."""
    lines = []
    for difference in found.differences:
        lowest, highest = difference.lowest_kcal_mol, difference.highest_kcal_mol
        span = f"{lowest:.2f} to {highest:.2f} kcal/mol over {difference.n_levels} levels"
        if difference.answer is Answer.UNDECIDED:
            lines.append(f"{difference.conformer} against {found.conformers[0]}: undecided, the sign differs: {span}")
        else:
            lines.append(
                f"{difference.conformer} lies {difference.answer} {found.conformers[0]} at every level: {span}"
            )
    return lines


_WAYS: dict[Kind, str] = {
    "saddles": "over verified saddles",
    "path": "along the path",
    "grid": "along the scan",
    "single points": "by single points along the scan",
}


def conversion_lines(found: ConversionFound) -> Iterator[str]:
    """Say which free barrier a measured conversion implies, and how far computed ones are off it."""
    seen = ", ".join(
        f"{' and '.join(observation.found)} after {_days(observation.after_days)}" for observation in found.implied
    )
    low, high = found.lowest_kcal_mol, found.highest_kcal_mol
    yield (
        f"{found.start} to {found.end} at {_celsius(found.temperature_k)}, measured {seen}: "
        f"a free barrier {_between(low, high)} (Eyring, no tunnelling)"
    )
    for barrier in found.computed:
        what = "free energy" if barrier.free else "energy alone"
        words = f"  computed {_WAYS[barrier.kind]}: {barrier.kcal_mol:.1f} kcal/mol ({what}, {barrier.level})"
        if barrier.off_kcal_mol:
            words += f", {abs(barrier.off_kcal_mol):.1f} {'below' if barrier.off_kcal_mol < 0 else 'above'} that"
        elif barrier.off_kcal_mol == 0:
            words += ", which that allows"
        yield f"{words}; half-life {time_span(barrier.half_life_s)}"
    if not found.computed:
        yield "  no barrier between the two was computed"
    if any(barrier.off_kcal_mol for barrier in found.computed):
        yield (
            "  why they differ is not told here: the level, what the model leaves out (ligands, solvent, counterion), "
            "or another step that is the slow one (a halide, a ligand, the solid)"
        )


def _days(days: float) -> str:
    return f"{days:g} day{'s' * (days != 1)}"


def _between(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        if low > high:
            return f"of at least {low:.1f} and at most {high:.1f} kcal/mol, which contradict each other"
        return f"of {low:.1f} to {high:.1f} kcal/mol"
    return f"of at most {high:.1f} kcal/mol" if low is None else f"of at least {low:.1f} kcal/mol"


def population_notes(found: Populations, vibrations_of: str) -> list[str]:
    """Say what populations over temperature are made of, and where two isomers are equal, beside what was measured."""
    lines = [f"energies: {found.energies_of}; vibrations: {vibrations_of}"]
    if found.scatter_kcal_mol is None:
        lines.append("no bands: there is one level, or one conformer; [dft] gives another")
    else:
        lines.append(
            f"bands: the energy of one moved by {found.scatter_kcal_mol:.2f} kcal/mol up and down, which is how far "
            f"{found.energies_of} and {found.against} are off one another on an energy difference"
        )
    if found.left_out:
        lines.append(f"left out, no minimum or no energy: {', '.join(found.left_out)}")
    return [*lines, *(_equal(crossing, found) for crossing in found.equal)]


def _equal(found: EqualPopulations, of: Populations) -> str:
    measured = None
    if found.measured_k is not None:
        by = f", {found.by}" if found.by else ""
        measured = f"measured {_celsius(found.measured_k)}{by}"
    if found.temperature_k is not None:
        words = f"{found.cold} and {found.warm} are equally populated at {_celsius(found.temperature_k)}"
        if found.lowest_k is not None and found.highest_k is not None:
            words += f" ({_celsius(found.lowest_k)} to {_celsius(found.highest_k)} by the scatter of the levels)"
        elif of.scatter_kcal_mol is not None:
            words += " (by the scatter of the levels anywhere, beyond this range too)"
        if found.measured_k is None:
            return words
        off = found.temperature_k - found.measured_k
        return f"{words}; {measured}: computed {abs(off):.0f} K {'higher' if off > 0 else 'lower'}"
    first, last = of.temperatures[0].temperature_k, of.temperatures[-1].temperature_k
    words = f"{found.cold} has more than {found.warm} from {first:g} to {last:g} K"
    if measured is None:
        low, high = sorted(found.apart_kcal_mol)
        return f"{words}: its free energy is lower by {low:.2f} to {high:.2f} kcal/mol"
    side = "lower" if found.apart_kcal_mol[0] > 0 else "higher"
    return f"{words}; {measured}, where its computed free energy is {abs(found.apart_kcal_mol[0]):.2f} kcal/mol {side}"


def _celsius(temperature_k: float) -> str:
    return f"{temperature_k - ZERO_CELSIUS_K:.1f} C"


_LARGE_WIGNER = 2.0
"""Wigner's factor is the first term of a series in the quantum over kT: this large, the next ones count as much."""


def passage_notes(found: Sequence[Passage]) -> list[str]:
    """Say at which temperatures tunnelling is more than Wigner's factor can tell."""
    beyond = sorted({passage.temperature_k for passage in found if passage.wigner_factor > _LARGE_WIGNER})
    if not beyond:
        return []
    temperatures = ", ".join(f"{temperature:g}" for temperature in beyond)
    return [
        f"! at {temperatures} K Wigner's factor is above {_LARGE_WIGNER:g}: tunnelling is more than a correction "
        "there, and the rate a rough guess"
    ]


def kinetics_notes(found: Kinetics) -> list[str]:
    """Say how long populations take to reach equilibrium, what no saddle leads to, and why there is no time course."""
    if found.minimum is None:
        return [f"no time course: none of the verified minima is {found.start}"]
    if not found.courses:
        return [f"no time course: no verified saddle leads from {found.start} to another minimum"]
    lines = []
    for course in found.courses:
        words = f"{found.start} at {course.temperature_k:g} K"
        if course.half_time_s is None or course.settled_s is None:
            lines.append(f"{words}: it stays there; at equilibrium it has {course.equilibrium_percent[0]:.4g} %")
        else:
            lines.append(
                f"{words}: half of the way to equilibrium after {time_span(course.half_time_s)}, all but a hundredth "
                f"after {time_span(course.settled_s)}"
            )
    if found.out_of_reach:
        lines.append(f"no verified saddle leads to {', '.join(found.out_of_reach)}")
    return lines


def spectrum_notes(found: Spectrum) -> list[str]:
    """Say what a spectrum is of and what it leaves out, how it fits the measured peaks, and who absorbs redder."""
    lines = [
        "vertical singlets without spin-orbit coupling, which scalar core potentials leave out: no state of heavy "
        "atoms splits, and no triplet borrows intensity",
        "three different energies: gap, from HOMO to LUMO; first, the lowest excitation, seen or not; measured, the "
        f"optical gap; allowed: the lowest state with f >= {found.allowed:g}",
        f"shares within an isomer at {found.temperature_k:g} K, from {found.populations_of}",
    ]
    if found.solvent is not None:
        lines.append(
            f"in {found.solvent}, not at equilibrium: its electrons follow the excitation (permittivity n squared), "
            "its nuclei stay as the ground state has them"
        )
    lines += [*map(_peaks, found.peaks), *(_redder(pair, found) for pair in found.redder)]
    doubts = [(conformer.conformer, doubt.sentence) for conformer in found.conformers for doubt in conformer.warnings]
    return [*lines, *(f"! {label}: {words}" for label, words in doubts)]


def _peaks(peaks: PeaksFound) -> str:
    of = len(peaks.measured_nm) + len(peaks.without_band_nm) + len(peaks.not_reached_nm)
    words = (
        f"{peaks.isomer}: {len(peaks.measured_nm)} of {of} measured peaks matched with {peaks.n_bands} computed bands"
    )
    if peaks.deviation_ev is not None:
        words += (
            f", off by {peaks.deviation_ev:.2f} eV in the mean: a shift of {peaks.shift_ev:+.2f} eV and a scatter of "
            f"{peaks.scatter_ev:.2f} eV about it"
        )
    if peaks.not_reached_nm:
        words += f"; {_nm(peaks.not_reached_nm)} beyond the computed states"
    if peaks.without_band_nm:
        words += f"; no band is left for {_nm(peaks.without_band_nm)}"
    return words


def _redder(found: Redder, spectrum: Spectrum) -> str:
    low, high = found.measured_nm
    measured = f"measured, {found.redder} absorbs redder than {found.other} ({low:g} against {high:g} nm)"
    level = f"{spectrum.approximation.upper()}, {spectrum.level}"
    if found.computed_nm is None:
        return f"{measured}; {level}: unknown, no state with f >= {spectrum.allowed:g} was computed for both"
    bands = f"first allowed bands at {found.computed_nm[0]:.0f} and {found.computed_nm[1]:.0f} nm"
    answer = {
        "as measured": "as measured",
        "the other way round": "the other way round",
        "undecided": "undecided, they are too close",
    }[found.answer]
    return f"{measured}; {level}: {answer}, {bands}"


def _nm(peaks: tuple[float, ...]) -> str:
    return f"{', '.join(f'{peak:g}' for peak in peaks)} nm"
