"""What holds for all tests."""

import os

# Tests share the cores with one another: threads that wait for each other sleep, as in the workers of a run. Two tests
# of disulfane side by side on two cores: 28 s, spinning 143.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
