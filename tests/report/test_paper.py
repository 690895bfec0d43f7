"""What a paper says of a run comes from its records: what was computed, how often, with what, and what to cite."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from qcdriver import api
from qcdriver.engines import ENGINES
from qcdriver.engines.references import Reference, basis_set, functional
from qcdriver.errors import InputError
from qcdriver.models.level import Model
from qcdriver.report.paper import Paper, write_zip
from qcdriver.store import Records

KEPT = Path(__file__).parents[2] / "results" / "kept" / "hooh"


@pytest.fixture
def store(tmp_path):
    (tmp_path / "records.jsonl").write_bytes((KEPT / "records.jsonl").read_bytes())
    return api.open_results(tmp_path).store


def test_the_paragraph_counts_what_was_computed_and_numbers_what_it_cites(store):
    told, _, listed = Paper(store).text().partition("\n\n")
    assert "13 geometries were relaxed until no component of a force was above 0.03 eV/A" in told
    assert "13 of these with a coordinate held at a value" in told
    assert "With PBE-D3(BJ)/def2-SVP (pyscf), version 2.14.0 pyscf-dispersion 1.5.0 [" in told
    assert "conv_tol = 1e-08" in told
    assert "solvent_model" not in told
    assert "H2O2 was computed with charge 0 and spin multiplicity 1." in told
    cited = {int(number) for found in re.findall(r" \[([\d,]+)\]", told) for number in found.split(",")}
    assert cited == set(range(1, 1 + len(listed.strip().splitlines())))
    assert "doi:10.1103/PhysRevLett.77.3865 (PBE)" in listed


def test_references_have_keys_of_their_own_in_bibtex(store):
    bibtex = Paper(store).bibtex()
    keys = re.findall(r"@article{(.*),", bibtex)
    assert len(keys) == len(set(keys)) == bibtex.count("doi = {10.")


def test_a_functional_is_found_however_it_is_written_and_none_is_invented():
    assert functional("CAM-B3LYP") == functional("camb3lyp") != ()
    assert functional("M06-2X") == ()
    assert [one.doi for one in basis_set("def2-TZVP")] == ["10.1039/b508541a"]


@pytest.mark.parametrize("name", ["xtb", "tblite", "pyscf"])
def test_every_engine_says_what_to_cite(name):
    engine = ENGINES[name]
    model = {"method": engine.methods[0]} if engine.methods else {"method": "pbe", "basis": "def2-svp"}
    found = engine.references(Model(**model), engine.keywords({"solvent": "water"}))
    assert len({one.doi for one in found}) == len(found) > 2
    assert all(isinstance(one, Reference) for one in found)


def test_the_zip_has_methods_structures_energies_and_records(store, tmp_path):
    written = write_zip(store, tmp_path, tmp_path / "si.zip")
    with zipfile.ZipFile(tmp_path / "si.zip") as packed:
        assert packed.namelist() == written
        energies = packed.read("energies.csv").decode().splitlines()
        assert packed.read("methods.md").decode() == Paper(store).text()
    assert energies[0].endswith("key,molecular_charge,molecular_multiplicity,method,basis,solvent")
    assert any(line.endswith(",0,1,PBE,def2-SVP,") for line in energies)
    with pytest.raises(InputError, match="is there already"):
        write_zip(store, tmp_path, tmp_path / "si.zip")


def test_a_run_without_a_finished_stage_has_no_methods(tmp_path):
    with pytest.raises(InputError, match="no stage has finished"):
        Paper(Records(tmp_path))
