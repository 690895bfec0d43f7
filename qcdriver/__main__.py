"""python -m qcdriver."""

from qcdriver.cli import main

main()
