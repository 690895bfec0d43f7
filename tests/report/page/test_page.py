"""The page of a run: all of its findings in one file, which a browser shows without an error or a network."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest

from qcdriver import api
from qcdriver.report.page import write_page

ROOT = Path(__file__).parents[3]


def page(name: str, folder: Path, text: str | None = None, without: str | None = None) -> Path:
    """Write the page of a kept run: of another text of its input, or as if a stage had not finished."""
    (folder / name).mkdir()
    kept = (ROOT / "results" / "kept" / name / "records.jsonl").read_text().splitlines(keepends=True)
    lines = [line for line in kept if json.loads(line).get("stage") != without]
    (folder / name / "records.jsonl").write_text("".join(lines))
    for path in (ROOT / "inputs").glob("*.xyz"):
        shutil.copy(path, folder)
    source = folder / f"{name}.toml"
    source.write_text(text or (ROOT / "inputs" / source.name).read_text().replace('device = "auto"', 'device = "cpu"'))
    found = api.read_findings(source, folder)
    return write_page(found.opened, found.summary)


def data(html: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)[1])


@pytest.fixture(scope="module")
def rod(tmp_path_factory):
    return page("au13ag12", tmp_path_factory.mktemp("rod"))


FORMIC_ACID = """5
charge=0 multiplicity=1
C  0.00  0.00 0.0
O  0.00  1.20 0.0
O  1.15 -0.68 0.0
H -0.95 -0.55 0.0
H {hydroxyl} 0.0
"""
TWO_FORMS = """
title = "Formic acid"
[structure]
source = "xyz"
[structure.isomers.Z]
file = "z.xyz"
[structure.isomers.E]
file = "e.xyz"
[prescreen]
engine = "tblite"
preoptimize = "none"
[scan]
dft_points = "none"
[[scan.coordinate]]
kind = "dihedral"
atoms = [1, 0, 2, 4]
start_deg = 0
stop_deg = 180
step_deg = 45
[dft]
method = "pbe"
basis = "STO-3G"
device = "cpu"
keywords = { grid_level = 0 }
[sensitivity]
levels = [{ basis = "3-21G" }]
[spectrum]
states = 3
[experiment]
peaks_nm = { Z = [205, 150] }
source = "made up"
"""


@pytest.fixture(scope="module")
def formic(tmp_path_factory):
    """Run the torsion of formic acid from its two forms, with other levels and excited states."""
    folder = tmp_path_factory.mktemp("formic")
    (folder / "z.xyz").write_text(FORMIC_ACID.format(hydroxyl="1.95 -0.13"))
    (folder / "e.xyz").write_text(FORMIC_ACID.format(hydroxyl="0.95 -1.62"))
    (folder / "formic.toml").write_text(TWO_FORMS)
    return api.run(folder / "formic.toml", folder / "results", workers=1).directory / "index.html"


def test_an_order_that_two_levels_leave_open_is_undecided_in_the_first_line(rod):
    found = data(rod.read_text())
    assert found["state"] == "doubtful"
    assert found["verdict"].endswith("nothing failed, no energy has a warning; undecided which lies lowest: E or S#2.")
    assert found["advice"][0].startswith("No order is known where it is undecided: take none from the tables")


def test_the_branches_of_a_scan_stand_beside_its_profile_with_structures_of_their_own(formic):
    (chart,) = data(formic.read_text())["charts"]
    scan = chart["series"][0]
    assert [branch["name"] for branch in scan["branches"]] == ["Z", "E"]
    profile = {point["x"]: point for point in scan["points"]}
    above = 0
    assert any(branch["lines"] for branch in scan["branches"])
    for branch in scan["branches"]:
        for point in branch["points"]:
            lowest = min(profile.values(), key=lambda other: abs(other["x"] - point["x"]))
            assert point["structure"] is not None
            assert (point["structure"] == lowest["structure"]) == (not point["hollow"])
            above += point["hollow"]
            assert point["y"] >= lowest["y"] - 1e-9
    assert above


def test_a_spectrum_is_drawn_with_its_states_and_what_was_measured(formic):
    found = data(formic.read_text())
    chart = found["spectra"]["spectrum"]
    z, e = chart["rows"]
    assert (z["name"], z["measured_nm"], e["measured_nm"]) == ("Z", [205.0, 150.0], [])
    assert len(z["sticks"]) == len(e["sticks"]) == 3
    shown = [place[0] for place in (*z["curve"], *z["beyond"])]
    assert chart["low_nm"] <= min(shown) < max(shown) <= chart["high_nm"]
    assert all(chart["low_nm"] < stick["nm"] < chart["high_nm"] for stick in z["sticks"])
    first, *_ = z["sticks"]
    assert first["words"].startswith(f"Z, state 1: {first['nm']:.0f} nm")


def test_further_levels_have_their_table_and_their_answer(formic):
    table, notes = data(formic.read_text())["own"]["sensitivity"]
    assert [row[0] for row in table["rows"]] == ["pbe/STO-3G (pyscf)", "pbe/3-21G (pyscf)", "from .. to"]
    assert notes["columns"] == [{"heading": "", "kind": "text"}]
    assert "E lies above Z at every level" in notes["rows"][0][0]


def test_every_point_of_a_profile_has_its_structure_in_one_order_of_atoms(rod):
    found = data(rod.read_text())
    scan, dft = found["charts"][0]["series"]
    structures = [found["structures"]["items"][point["structure"]] for point in scan["points"]]
    assert [round(point["x"]) for point in scan["points"]] == list(range(0, 73, 6))
    assert len({structure["symbols"] for structure in structures}) == 1
    # The rotation is seen, no jump: from point to point a metal atom goes hardly farther than 6 deg at 5 A.
    symbols = found["structures"]["symbols"][structures[0]["symbols"]]
    metal = [atom for atom, symbol in enumerate(symbols) if symbol in ("Au", "Ag")]
    for one, other in pairwise(structures):
        steps = [abs(one["places"][3 * atom + k] - other["places"][3 * atom + k]) for atom in metal for k in range(3)]
        assert max(steps) < 1000  # thousandths of an Angstrom
    assert [point["structure"] is not None for point in dft["points"]] == [True] * 3


def test_tables_are_those_of_the_report_with_what_was_measured_marked(rod):
    found = data(rod.read_text())
    xtb, dft, charges = found["conformers"]
    assert (xtb["title"], charges["title"]) == (
        "Conformers, GFN1-xTB (xtb)",
        "Hirshfeld charges, e, PBE-D3(BJ)/LANL2DZ (pyscf)",
    )
    kinds = {column["heading"]: column["kind"] for column in dft["columns"]}
    assert (kinds["measured eV"], kinds["gap eV"], kinds["family"]) == ("measured", "number", "text")
    assert None not in xtb["structures"]
    dropped = {group["reason"]: len(group["items"]) for group in found["dropped"]}
    assert dropped["beyond the number that was asked for"] == 4


def test_it_is_one_file_without_network(rod):
    html = rod.read_text()
    assert rod.stat().st_size < 5e6
    assert "default-src 'none'" in html
    assert not re.findall(r"<(?:script|img|iframe|link)[^>]+(?:src|href)=[\"'](?!data:)", html.partition("<script")[0])


def test_it_says_first_what_is_missing_and_what_to_do(tmp_path):
    found = data(page("hooh", tmp_path, without="dft").read_text())
    assert (found["state"], found["verdict"]) == ("unfinished", "Not finished: dft.")
    assert found["advice"][0].startswith(f"qcdriver run {tmp_path}/hooh.toml --results {tmp_path} goes on")


def test_no_text_of_a_users_gets_out_of_its_place(tmp_path):
    text = (ROOT / "inputs" / "hooh.toml").read_text().replace("Hydrogen peroxide,", "</script><b>{{ data }}</title>")
    html = page("hooh", tmp_path, text=text.replace('device = "auto"', 'device = "cpu"')).read_text()
    assert "</script><b>" not in html
    assert data(html)["title"].startswith("</script><b>{{ data }}</title>")


# What a person could do, done by a script in the page; it tells the test what was wrong by asking it for a picture.
CLICKS = """
const wrong = [];
addEventListener("error", (event) => wrong.push(event.message));
console.error = console.warn = (...words) => wrong.push(words.join(" "));
addEventListener("load", () => setTimeout(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const status = () => document.querySelector("#profile .status").textContent;
  const slider = document.querySelector("#profile input[type=range]");
  slider.value = 0;
  slider.dispatchEvent(new Event("input"));
  const first = status();
  slider.value = slider.max;
  slider.dispatchEvent(new Event("input"));
  if (first === status()) wrong.push("the slider shows no other point");
  const heading = document.querySelector("#conformers thead th:nth-child(2) button");
  const energies = () => all("#conformers table")[0].querySelectorAll("tbody td:nth-child(2)");
  heading.click(); heading.click();
  const sorted = [...energies()].map((cell) => parseFloat(cell.textContent));
  if (sorted.some((value, k) => k && value > sorted[k - 1])) wrong.push("not sorted from the highest: " + sorted);
  for (const control of all("button, input[type=checkbox], summary")) control.click();
  for (const playing of all("[aria-pressed=true]")) playing.click();
  for (const choice of all("select")) for (const option of choice.options) {
    choice.value = option.value;
    choice.dispatchEvent(new Event("change"));
  }
  for (const canvas of all(".canvas")) canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft" }));
  for (const mark of all(".mark[role=button]")) mark.dispatchEvent(new Event("focus"));
  for (const control of all("input, select, [role=img], [role=button]")) {
    const named = control.getAttribute("aria-label") || control.closest("label");
    if (!named) wrong.push("no label: " + control.outerHTML.slice(0, 80));
  }
  for (const link of all("a[download]")) if (!link.href.startsWith("data:")) wrong.push("no file: " + link.textContent);
  const wide = document.documentElement.scrollWidth;
  if (wide > innerWidth) wrong.push(`as wide as ${wide} in a window of ${innerWidth}`);
  // The first structure is drawn when it comes into view; a slow machine takes its time.
  const told = document.querySelector("#stage-spectrum .status"), sticks = () => all(".stick[role=button]");
  const structures = () => all(".canvas canvas").length || /WebGL/.test(all(".canvas")[0].textContent);
  const drawn = () => structures() && (!told || sticks().length);
  const tell = (patience) => {
    if (!drawn() && patience) return setTimeout(tell, 250, patience - 1);
    if (!drawn()) wrong.push("no structure, or no spectrum");
    for (const stick of sticks()) stick.dispatchEvent(new Event("focus"));
    if (told && !/state/.test(told.textContent)) wrong.push("a state says nothing");
    new Image().src = "http://127.0.0.1:PORT/" + encodeURIComponent(JSON.stringify(wrong));
  };
  setTimeout(tell, 500, 60);
}, 500));
"""


class Ear(BaseHTTPRequestHandler):
    """Hears what the page says."""

    def do_GET(self):
        self.server.heard.put(json.loads(unquote(self.path[1:])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        pass


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here: apt-get install chromium")
@pytest.mark.parametrize("shown", ["rod", "formic"])
def test_a_browser_as_narrow_as_a_telephone_shows_it_and_every_control_works(shown, tmp_path, request):
    shown = request.getfixturevalue(shown)
    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        server.heard = queue.Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        script = f"<script>{CLICKS.replace('PORT', str(server.server_port))}</script>"
        checked = tmp_path / "checked.html"
        html = shown.read_text().replace("img-src", f"img-src http://127.0.0.1:{server.server_port}")
        checked.write_text(html.replace('<script>\n"use strict";', f'{script}<script>\n"use strict";'))
        browser = [
            "chromium",
            "--headless=new",
            "--no-sandbox",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
        ]
        where = [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=400,1400", "--enable-logging=stderr"]
        with (tmp_path / "log").open("w") as log:
            process = subprocess.Popen([*browser, *where, checked.as_uri()], stdout=log, stderr=log)
            try:
                wrong = server.heard.get(timeout=240)
                assert wrong == [], wrong
            finally:
                process.terminate()
                process.wait(timeout=20)
                server.shutdown()
        assert "CONSOLE" not in (tmp_path / "log").read_text()
