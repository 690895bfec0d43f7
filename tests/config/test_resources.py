"""`[resources]`: what the jobs of a stage ask for; a mistake in it is one line that says what would be right."""

from __future__ import annotations

import pytest

from qcdriver.config.settings import read_settings
from qcdriver.errors import InputError

INPUT = """
title = "test"
[structure]
source = "au13ag12"
[structure.isomers.E]
twist_deg = 0
[resources]
threads = 4
[resources.dft]
"""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('time = "soon"', """resources.dft.time: 'soon' is no time: minutes, "HH:MM:SS" or "D-HH:MM:SS" belong here"""),
        ("time = 0", "resources.dft.time: 0 is no time"),
        ('time = "00:00:00"', "resources.dft.time: '00:00:00' is no time"),
        ("time = true", "resources.dft.time: True is no time"),
        ("cpus = 0", "resources.dft.cpus = 0: input should be greater than or equal to 1"),
        ("gpus = -1", "resources.dft.gpus = -1: input should be greater than or equal to 0"),
        ('partition = "gpu; rm -rf ~"', "resources.dft.partition: 'gpu; rm -rf ~' is no name"),
        ('account = "a\\nb"', "resources.dft.account: 'a\\nb' is no name"),
        ('container = "run\\nme"', "resources.dft.container: 'run\\nme' is not one line of text"),
        ('modules = [""]', "resources.dft.modules: '' is not one line of text"),
        ('sbatch = ["exclusive"]', """resources.dft.sbatch: 'exclusive' is no option of sbatch; one looks like"""),
        ('sbatch = ["--array=0-9"]', "resources.dft.sbatch: --array is what qcdriver submit sets itself"),
        ('sbatch = ["-J name"]', "resources.dft.sbatch: -J is what qcdriver submit sets itself"),
        ("memory = 1000", "resources.dft.memory: unknown key; did you mean memory_mb?"),
        ("[resources.dfft]", "resources.dfft: unknown key; did you mean dft?"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, line, said):
    path = tmp_path / "input.toml"
    path.write_text(INPUT + line + "\n")
    with pytest.raises(InputError) as caught:
        read_settings(path)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message


def test_each_stage_has_its_own_table(tmp_path):
    path = tmp_path / "input.toml"
    path.write_text(INPUT + 'gpus = 1\ntime = "12:00:00"\n[resources.prescreen]\ncpus = 4\n')
    resources = read_settings(path).resources
    assert resources.threads == 4
    assert (resources.of("dft").gpus, resources.of("dft").time_s) == (1, 43200)
    assert (resources.of("prescreen").cpus, resources.of("scan").cpus) == (4, 1)
    assert resources.of("mirror") == resources.of("dft")
