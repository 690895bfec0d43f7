"""Python's own start: this machine has a driver, and gpu4pyscf meets the stand-ins as soon as it is imported.

Python imports this file first in every process whose PYTHONPATH names this folder, so also in workers and in probes.
"""

import stand_in.driver
import stand_in.replacements

stand_in.driver.install()
stand_in.replacements.install()
