"""`[resources]`: what the jobs of a stage ask for; a mistake in it is one line that says what would be right."""

from __future__ import annotations

import pytest

from qcdriver.errors import InputError
from qcdriver.execution.slurm.steps import plan_steps
from qcdriver.workflow.input import read_input
from qcdriver.workflow.mirror import Mirror
from qcdriver.workflow.open_run import open_run

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
        ('sbatch = ["--arr=0-9"]', "resources.dft.sbatch: --array is what qcdriver submit sets itself"),
        ('sbatch = ["--jo=x"]', "resources.dft.sbatch: --job-name is what qcdriver submit sets itself"),
        ('sbatch = ["--no-req"]', "resources.dft.sbatch: --no-requeue is what qcdriver submit sets itself"),
        ('sbatch = ["--exclusive --out=x"]', "resources.dft.sbatch: --output is what qcdriver submit sets itself"),
        ('sbatch = ["-Ha0-9"]', "resources.dft.sbatch: -a is what qcdriver submit sets itself"),
        (
            """sbatch = ['--comment="a b']""",
            "resources.dft.sbatch: '--comment=\"a b' has a quote without its other end",
        ),
        (
            """container = 'apptainer exec "a b.sif'""",
            "resources.dft.container: 'apptainer exec \"a b.sif' has",
        ),
        ("container = 'apptainer exec \\'", "ends in a backslash"),
        ("memory = 1000", "resources.dft.memory: unknown key; did you mean memory_mb?"),
        ("[resources.dfft]", "resources.dfft: unknown key; did you mean dft?"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, line, said):
    path = tmp_path / "input.toml"
    path.write_text(INPUT + line + "\n")
    with pytest.raises(InputError) as caught:
        read_input(path)
    message = str(caught.value)
    assert said in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "option",
    ["--exclusive", "--constraint=a100", "--comment='-a b'", "--export=ALL", "-C a100", "--mail-type=END", "--nice=5"]
    + ["--nodelist=a", "-HC a", "--wait-all-nodes=1", "-x node7"],
)
def test_other_options_of_sbatch_pass(tmp_path, option):
    path = tmp_path / "input.toml"
    path.write_text(f'{INPUT}sbatch = ["{option}"]\n')
    assert read_input(path).resources.of("dft").sbatch == (option,)


def test_each_stage_has_its_own_table(tmp_path):
    path = tmp_path / "input.toml"
    path.write_text(INPUT + 'gpus = 1\ntime = "12:00:00"\n[resources.prescreen]\ncpus = 4\n')
    resources = read_input(path).resources
    assert resources.threads == 4
    assert (resources.of("dft").gpus, resources.of("dft").time_s) == (1, 43200)
    assert (resources.of("prescreen").cpus, resources.of("scan").cpus) == (4, 1)


@pytest.mark.parametrize(("dft", "table"), [('[dft]\nmethod = "pbe"\nbasis = "sto-3g"\n', "dft"), ("", "prescreen")])
def test_a_mirror_image_takes_the_resources_of_the_stage_that_ranks_here_and_on_slurm(tmp_path, dft, table):
    path = tmp_path / "input.toml"
    path.write_text(INPUT.removesuffix("[resources.dft]\n") + dft + "[mirror]\n")
    run = open_run(read_input(path), path, tmp_path)
    assert Mirror().resources_of(run).name == table
    assert [step.resources for step in plan_steps(run) if step.stage == "mirror"] == [table]
