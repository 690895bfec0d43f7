"""The picture of a profile draws what is known and nothing more: no line over a break, no filled point by symmetry."""

from __future__ import annotations

import numpy as np
import pytest
from landscape_models import profile, scan_point
from matplotlib.figure import Figure

from qcdriver.report.pictures.profile import draw_energy, plot_profiles
from qcdriver.report.pictures.side_by_side import plot_side_by_side
from qcdriver.workflow.findings import ScanBreak, Summary


def summary(*profiles):
    return Summary(
        title="A rotor, 5$ a turn",
        formula="Ag12Au13",
        conformers=(),
        profiles=profiles,
        networks=(),
        paths=(),
        mirror_checks=(),
        spreads=(),
        dropped=(),
        failed=(),
        experiment_source=None,
    )


def drawn(*args, **kwargs):
    axes = Figure().subplots()
    draw_energy(axes, *args, **kwargs)
    return axes.get_lines()


def curves(lines):
    return [line.get_xydata() for line in lines if line.get_linestyle() == "-" and len(line.get_xdata()) > 2]


def parabola(known_slopes):
    return profile(
        *(scan_point(x, energy=x**2, slopes_kcal_mol=(2 * x,) if known_slopes else ()) for x in (0.0, 6.0, 12.0))
    )


def test_where_slopes_are_known_the_curve_is_that_of_the_energy():
    for curve in curves(drawn(parabola(True), "C0", with_line=True)):
        assert curve[:, 1] == pytest.approx(curve[:, 0] ** 2, abs=1e-9)


def test_where_they_are_not_it_is_straight():
    first, second = curves(drawn(parabola(False), "C0", with_line=True))
    assert first[:, 1] == pytest.approx(6 * first[:, 0], abs=1e-9)
    assert second[:, 1] == pytest.approx(18 * second[:, 0] - 72, abs=1e-9)


def test_no_line_leads_over_a_break_nor_over_its_image():
    points = [scan_point(x, energy=x) for x in (24.0, 30.0, 36.0)]
    images = [scan_point(x, energy=72 - x, image_of=(72 - x,)) for x in (42.0, 48.0)]
    broken = ScanBreak(between=((24.0,), (30.0,)), off_kcal_mol=2.0, moved_angstrom=1.3)
    lines = drawn(profile(*points, *images, breaks=(broken,)), "C0", with_line=True)
    assert sorted((curve[0, 0], curve[-1, 0]) for curve in curves(lines)) == [(30.0, 36.0), (36.0, 42.0)]


def test_a_cusp_at_a_mirror_plane_is_marked_and_the_curve_is_the_same_from_both_sides():
    """E = |x - 36|: the structure kept at 36 deg is that of one side, and the other side is its mirror image."""
    points = [scan_point(x, energy=36 - x, slopes_kcal_mol=(-1.0,)) for x in (30.0, 36.0)]
    image = scan_point(42.0, energy=6.0, slopes_kcal_mol=(1.0,), image_of=(30.0,))
    cusp = ScanBreak(between=((36.0,), (36.0,)), off_kcal_mol=-6.0, moved_angstrom=0.8)
    lines = drawn(profile(*points, image, breaks=(cusp,)), "C0", with_line=True)
    for curve in curves(lines):
        assert curve[:, 1] == pytest.approx(abs(curve[:, 0] - 36), abs=1e-9)
    assert [line.get_xydata().tolist() for line in lines if line.get_marker() == "x"] == [[[36.0, 0.0]]]


def test_points_by_symmetry_are_hollow():
    lines = drawn(profile(scan_point(36.0), scan_point(42.0, energy=1.0, image_of=(30.0,))), "C0", with_line=False)
    assert {line.get_xdata()[0]: line.get_markerfacecolor() for line in lines} == {36.0: "C0", 42.0: "white"}


def test_what_came_from_one_side_and_was_not_kept_is_shown_above_the_point():
    lagging = scan_point(18.0, energy=1.0, arrived_kcal_mol=((3.5, 1.0),))
    arrows = [line for line in drawn(profile(lagging), "C0", with_line=True) if line.get_marker() == ">"]
    assert [line.get_xydata().tolist() for line in arrows] == [[[18.0, 3.5]]]


def test_a_picture_is_drawn_of_profiles_with_and_without_belt_and_gap(tmp_path):
    bare = profile(*(scan_point(x, energy=x, gap_ev=None) for x in (0.0, 6.0, 12.0)))
    rod = profile(*(scan_point(x, energy=x, belt="4d+2t") for x in (0.0, 6.0, 12.0)))
    for number, those in enumerate(([bare], [rod, bare])):
        path = tmp_path / f"{number}.png"
        assert plot_profiles(summary(*those), path)
        assert path.stat().st_size > 10_000
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_profile_of_one_coordinate_there_is_no_picture(tmp_path):
    plane = profile(scan_point(0.0, 0.0), coordinates=("twist_deg", "belt_deg"))
    for those in ([], [plane]):
        assert not plot_profiles(summary(*those), tmp_path / "profile.png")
    assert not list(tmp_path.iterdir())


def test_variants_are_drawn_side_by_side_on_one_scale(tmp_path):
    low, high = (
        summary(profile(*(scan_point(x, energy=height * np.sin(np.radians(5 * x))) for x in (0.0, 18.0, 36.0))))
        for height in (2.0, 6.0)
    )
    assert plot_side_by_side({"Cl": low, "Br": high}, tmp_path / "profiles.png")
    assert not plot_side_by_side({"Cl": low}, tmp_path / "one.png")
    assert not plot_side_by_side({"Cl": low, "Br": summary()}, tmp_path / "one.png")
    assert [path.name for path in tmp_path.iterdir()] == ["profiles.png"]
