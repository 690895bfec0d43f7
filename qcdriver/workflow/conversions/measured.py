"""The conversions of `[experiment]`, and what a run has computed -> what stands beside what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qcdriver.workflow.base import RunView
from qcdriver.workflow.conversions.barriers import Barrier, barriers
from qcdriver.workflow.conversions.bounds import Bounds, bounds_of, half_life_s
from qcdriver.workflow.conversions.findings import ComputedBarrier, ConversionFound, ImpliedBarrier
from qcdriver.workflow.tables import ZERO_CELSIUS_K, Conversion


def conversions(run: RunView) -> tuple[ConversionFound, ...]:
    """Put the measured free barriers beside the computed ones; empty where the input has no conversion."""
    experiment = run.input.experiment
    grouped: dict[tuple[str, str, float], list[Conversion]] = {}
    for conversion in experiment.conversion if experiment else ():
        for start, end in _pairs(conversion, list(run.input.structure.isomers)):
            grouped.setdefault((start, end, conversion.temperature_c + ZERO_CELSIUS_K), []).append(conversion)
    return tuple(_found(run, *key, statements) for key, statements in grouped.items())


def _pairs(conversion: Conversion, isomers: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Give what could turn into what: of a mixture, all that is gone into what is left."""
    gone = [isomer for isomer in isomers if isomer not in conversion.found]
    starts = gone if conversion.began_as is None else [conversion.began_as]
    for start in starts:
        others = [isomer for isomer in conversion.found if isomer != start]
        # What stayed alone may have turned into any other, and did not.
        yield from ((start, end) for end in others or [isomer for isomer in isomers if isomer != start])


def _found(
    run: RunView, start: str, end: str, temperature_k: float, statements: Sequence[Conversion]
) -> ConversionFound:
    implied = [
        (statement, bounds_of(start in statement.found, end in statement.found, statement.after_days, temperature_k))
        for statement in statements
    ]
    lows = [bounds.lowest_kcal_mol for _, bounds in implied if bounds.lowest_kcal_mol is not None]
    highs = [bounds.highest_kcal_mol for _, bounds in implied if bounds.highest_kcal_mol is not None]
    whole = Bounds(max(lows, default=None), min(highs, default=None))
    return ConversionFound(
        start=start,
        end=end,
        temperature_k=temperature_k,
        implied=tuple(
            ImpliedBarrier(
                found=conversion.found,
                after_days=conversion.after_days,
                lowest_kcal_mol=bounds.lowest_kcal_mol,
                highest_kcal_mol=bounds.highest_kcal_mol,
            )
            for conversion, bounds in implied
        ),
        lowest_kcal_mol=whole.lowest_kcal_mol,
        highest_kcal_mol=whole.highest_kcal_mol,
        computed=tuple(_beside(barrier, whole, temperature_k) for barrier in barriers(run, start, end, temperature_k)),
    )


def _beside(barrier: Barrier, measured: Bounds, temperature_k: float) -> ComputedBarrier:
    low, high = measured.lowest_kcal_mol, measured.highest_kcal_mol
    off = None if low is None and high is None else 0.0
    if low is not None and barrier.kcal_mol < low:
        off = barrier.kcal_mol - low
    elif high is not None and barrier.kcal_mol > high:
        off = barrier.kcal_mol - high
    return ComputedBarrier(
        kind=barrier.kind,
        level=barrier.level,
        free=barrier.free,
        kcal_mol=barrier.kcal_mol,
        off_kcal_mol=off,
        half_life_s=half_life_s(barrier.kcal_mol, temperature_k),
    )
