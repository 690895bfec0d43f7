"""Load PySCF without the settings of a user, which change its numbers and are no part of a level."""

from __future__ import annotations

import sys
from pathlib import Path

from qcdriver.engines.ambient import variables
from qcdriver.errors import InputError

NO_SETTINGS = str(Path(__file__).with_name("no_settings.py"))


def load_pyscf() -> None:
    """Import PySCF, if nobody has yet.

    PySCF runs the first that exists of $PYSCF_CONFIG_FILE, .pyscf_conf.py where the process stands, and the same in the
    home folder, once and for all; and it takes modules from $PYSCF_EXT_PATH.

    Raises
    ------
    InputError
        This process had loaded it before, with a file of settings.
    """
    if "pyscf" not in sys.modules:
        with variables(PYSCF_CONFIG_FILE=NO_SETTINGS, PYSCF_EXT_PATH=None, PYSCF_ARGPARSE=None):
            import pyscf  # noqa: F401
    from pyscf import __config__

    used = getattr(__config__, "conf_file", None)
    if used not in (None, NO_SETTINGS):
        raise InputError(
            f"PySCF was loaded with the settings of {used}, which change its numbers: take the file away, or start "
            f"Python with PYSCF_CONFIG_FILE={NO_SETTINGS}"
        )
