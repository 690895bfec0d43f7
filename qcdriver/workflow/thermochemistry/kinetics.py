"""Rates between states -> populations after any time: the master equation of a network, solved exactly.

The rates of one network differ by twenty orders of magnitude, so that the eigenvalues of its matrix lose the slow ones
in the rounding of the fast ones. Here nothing is subtracted: the probabilities of a time so short that hardly anything
happens are a sum of terms that are not negative (uniformization: Jensen, Skand. Aktuarietidskr. 36, 87, 1953), and
those of twice the time are their square, of which each row is brought back to a sum of one.
"""

from __future__ import annotations

import math

import numpy as np

NEVER_S = 1e30
"""What has not come about after this time never will; the universe is 4e17 s old."""
_TERMS = 25
"""Of the series; with a sum of rates times the time of at most one, the next term is below 1e-25."""
_END_S = 1e100
_NOTHING = 1e-12
"""Of a population: less than this that leaves is none."""
_HALVINGS = 40
"""Of the bracket of a time: it ends narrower than a billionth of it."""


def probabilities(rates: np.ndarray, time_s: float) -> np.ndarray:
    """Return the probabilities (n, n) to be in each state after a time, one row a state to begin with.

    Parameters
    ----------
    rates
        Per second from the state of the row to that of the column, (n, n); the diagonal does not count.
    time_s
        Not negative.
    """
    leaving = rates * (1 - np.eye(len(rates)))
    fastest = float(leaving.sum(axis=1).max())
    doublings = max(0, math.ceil(math.log2(fastest * time_s))) if fastest * time_s > 0 else 0
    step = time_s / 2.0**doublings
    jump = leaving * step
    np.fill_diagonal(jump, (fastest - leaving.sum(axis=1)) * step)
    term = np.eye(len(rates))
    whole = term.copy()
    for count in range(1, _TERMS):
        term = term @ jump / count
        whole += term
    whole = _of_sum_one(whole)
    for _ in range(doublings):
        whole = _of_sum_one(whole @ whole)
    return whole


def reachable(rates: np.ndarray, start: int) -> list[int]:
    """List the states that a chain of rates leads to from one, itself among them, in their order."""
    found, new = {start}, [start]
    while new:
        new = [int(state) for state in np.flatnonzero(rates[new].max(axis=0) > 0) if state not in found]
        found.update(new)
    return sorted(found)


def time_until(rates: np.ndarray, start: int, left_of_way: float) -> float | None:
    """Return the time (s) after which the population of the start has this part of its way to equilibrium before it.

    It falls steadily, as rates that are in balance at equilibrium have no other way. None: not within `NEVER_S`, or
    nothing leaves the start.
    """
    leaving = float(np.delete(rates[start], start).sum())
    end = float(probabilities(rates, _END_S)[start, start])
    if not leaving or 1 - end < _NOTHING:
        return None
    goal = end + left_of_way * (1 - end)

    def above(time_s: float) -> bool:
        return float(probabilities(rates, time_s)[start, start]) > goal

    low = high = 1.0 / leaving
    while above(high):
        high *= 2
        if high > NEVER_S:
            return None
    while not above(low):
        low /= 2
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if above(middle) else (low, middle)
    return high if high <= NEVER_S else None


def _of_sum_one(rows: np.ndarray) -> np.ndarray:
    whole: np.ndarray = rows / rows.sum(axis=1, keepdims=True)
    return whole
