"""The programs that compute energies and gradients, each behind the contract in `base`.

The registry is the dictionary `ENGINES`; importing it loads no program.
"""

from qcdriver.engines.base import Calculation, Engine, Progress
from qcdriver.engines.dft.engine import PyscfEngine
from qcdriver.engines.tblite import TbliteEngine
from qcdriver.engines.xtb import XtbEngine
from qcdriver.errors import InputError

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (XtbEngine(), TbliteEngine(), PyscfEngine())}

__all__ = ["ENGINES", "Calculation", "Engine", "Progress", "find"]


def find(name: str) -> Engine:
    """Give the engine of that name.

    Raises
    ------
    InputError
        There is none; the message lists those that exist.
    """
    try:
        return ENGINES[name]
    except KeyError:
        raise InputError(f"no engine named {name!r}; there are {', '.join(ENGINES)}") from None
