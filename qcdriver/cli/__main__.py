"""python -m qcdriver.cli."""

from qcdriver.cli import main

main()
