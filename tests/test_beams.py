"""Beams, spots and orientation, and the selection of beams."""

import re

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.paths import ALL_GRANULES, granule, needs_granules
from xr_icesat2.errors import IdentityError, SelectionError
from xr_icesat2.granule.beams import (
    BACKWARD,
    BEAMS,
    FORWARD,
    SPOTS,
    STRONG,
    WEAK,
    assign_spots,
    beam_strength,
    select_spots,
)

# Written out, not derived: the table of the ATL03 data dictionary.
EXPECTED = {
    1: {"gt1l": 6, "gt1r": 5, "gt2l": 4, "gt2r": 3, "gt3l": 2, "gt3r": 1},
    0: {"gt1l": 1, "gt1r": 2, "gt2l": 3, "gt2r": 4, "gt3l": 5, "gt3r": 6},
}
ORIENTATIONS = {1: "Forward", 0: "Backward"}
some_beams = st.lists(st.sampled_from(BEAMS), min_size=1, unique=True)


def test_orientation_tables_follow_the_specification():
    assert {1: dict(FORWARD), 0: dict(BACKWARD)} == EXPECTED


@given(some_beams, st.sampled_from([0, 1]), st.sampled_from([0, 1, 2, None]))
def test_spot_number_takes_precedence(beams, orient, said):
    spots = {beam: EXPECTED[orient][beam] for beam in beams}
    assert assign_spots(beams, spots, said, ORIENTATIONS[1 - orient]) == EXPECTED[orient]


@given(some_beams, st.sampled_from([0, 1]), st.sampled_from(["Forward", "Backward", None, "x"]))
def test_sc_orient_is_used_without_spot_numbers(beams, orient, attr):
    assert assign_spots(beams, dict.fromkeys(beams), orient, attr) == EXPECTED[orient]
    assert assign_spots(beams, {}, orient, attr) == EXPECTED[orient]


@given(some_beams, st.sampled_from([0, 1]))
def test_orientation_attribute_is_used_last(beams, orient):
    attr = ORIENTATIONS[orient]
    assert assign_spots(beams, {}, None, attr) == EXPECTED[orient]
    assert assign_spots(beams, {}, None, f" {attr.upper()} ") == EXPECTED[orient]


@pytest.mark.parametrize(
    ("sc_orient", "attr"),
    [(2, None), (2, "Forward"), (None, None), (None, "Transition"), (3, None)],
)
def test_unknown_orientation_is_an_error(sc_orient, attr):
    with pytest.raises(IdentityError) as caught:
        assign_spots(["gt1l", "gt3r"], {}, sc_orient, attr)
    message = str(caught.value)

    def said(value):
        return "is missing or invalid" if value is None else f"is {value!r}"

    for piece in ("gt1l, gt3r", said(sc_orient), f"sc_orientation {said(attr)}"):
        assert piece in message
    for way_out in ('layout="flat"', 'beams=["gt1l"]', "sc_orient=0", "sc_orient=1"):
        assert message.index(way_out) < message.index("In the file")


@given(some_beams, st.sampled_from([0, 1]), st.sampled_from([2, None]))
def test_user_can_give_the_orientation(beams, orient, said):
    assert assign_spots(beams, {}, said, None, orient) == EXPECTED[orient]


@given(some_beams, st.sampled_from([0, 1]), st.sampled_from(["number", "sc_orient", "attribute"]))
def test_orientation_that_contradicts_the_file_is_refused(beams, orient, evidence):
    numbers = {beam: EXPECTED[orient][beam] for beam in beams} if evidence == "number" else {}
    said = orient if evidence == "sc_orient" else None
    attr = ORIENTATIONS[orient] if evidence == "attribute" else None
    assert assign_spots(beams, numbers, said, attr, orient) == EXPECTED[orient]
    with pytest.raises(SelectionError, match=f"sc_orient={1 - orient} .*according to the file gt"):
        assign_spots(beams, numbers, said, attr, 1 - orient)


def test_no_beams_need_no_orientation():
    assert assign_spots([], {}, None, None) == {}


@given(some_beams, st.data(), st.sampled_from([0, 1]), st.sampled_from([0, 1, 2, None]))
def test_one_spot_number_determines_all_beams(beams, data, orient, said):
    known = data.draw(st.sampled_from(beams))
    numbers = {known: EXPECTED[orient][known]}
    assert assign_spots(beams, numbers, said, None) == EXPECTED[orient]


def test_spot_numbers_outside_the_tables_are_kept_and_determine_nothing_else():
    numbers = {"gt1l": 3, "gt1r": 4}
    assert assign_spots(["gt1l", "gt1r"], numbers, 1, "Forward") == numbers
    assert assign_spots(["gt1l", "gt1r", "gt3r"], numbers, 1, None) == numbers | {"gt3r": 1}
    with pytest.raises(IdentityError, match="The spot of gt3r is unknown"):
        assign_spots(["gt1l", "gt1r", "gt3r"], numbers, None, None)
    with pytest.raises(IdentityError, match="gt1l and gt2r are both recorded as spot 3"):
        assign_spots(["gt1l", "gt1r", "gt2r"], numbers, 1, None)


@pytest.mark.parametrize("number", [0, 7, -1])
def test_nonexistent_spot_number_is_an_error(number):
    with pytest.raises(
        IdentityError, match=f"gt2l: atlas_spot_number is {number}, expected 1 to 6"
    ):
        assign_spots(["gt2l"], {"gt2l": number}, 1, None)


@given(some_beams.filter(lambda beams: len(beams) > 1), st.sampled_from(SPOTS))
def test_two_beams_with_one_spot_are_an_error(beams, spot):
    with pytest.raises(IdentityError, match=f"are both recorded as spot {spot}.*layout=") as caught:
        assign_spots(beams, dict.fromkeys(beams, spot), 1, None)
    assert beams[0] in str(caught.value)


def test_attributes_of_absent_beams_are_ignored():
    assert assign_spots(["gt1l"], {"gt1l": 6, "gt1r": 6}, None, None) == FORWARD


def test_odd_spots_are_strong():
    assert [beam_strength(spot) for spot in SPOTS] == ["strong", "weak"] * 3
    with pytest.raises(SelectionError, match="spot=7, expected one of 1, 2, 3, 4, 5, 6"):
        beam_strength(7)


@pytest.mark.parametrize(
    ("spots", "expected"),
    [
        (None, SPOTS),
        ("strong", STRONG),
        ("weak", WEAK),
        (4, (4,)),
        ([5, 1, 5], (1, 5)),
        (range(2, 4), (2, 3)),
        (np.array([6, 2]), (2, 6)),
        (np.int8(3), (3,)),
    ],
)
def test_spots_select_beams(spots, expected):
    selected = select_spots(spots, None, FORWARD)
    assert selected == expected
    assert all(type(spot) is int for spot in selected)


@given(some_beams, st.sampled_from([0, 1]))
def test_beams_select_spots(beams, orient):
    expected = tuple(sorted(EXPECTED[orient][beam] for beam in beams))
    assert select_spots(None, beams, EXPECTED[orient]) == expected
    assert select_spots(list(expected), beams, EXPECTED[orient]) == expected
    assert select_spots(None, beams[0], EXPECTED[orient]) == (EXPECTED[orient][beams[0]],)


def test_spots_and_beams_must_agree():
    assert select_spots("strong", ["gt1l", "gt2l", "gt3l"], BACKWARD) == STRONG
    with pytest.raises(SelectionError) as caught:
        select_spots("strong", ["gt1l", "gt2l"], FORWARD)
    assert "these beams are spots 4, 6, not 1, 3, 5" in str(caught.value)


@pytest.mark.parametrize(
    "spots", ["Strong", "1", 0, 7, [], [1, 8], [1.0], 2.5, True, [None], ["1"]]
)
def test_nonexistent_spots_are_refused(spots):
    with pytest.raises(SelectionError) as caught:
        select_spots(spots, None, FORWARD)
    message = str(caught.value)
    assert f"spots={spots!r}" in message
    assert '"strong", "weak", a number or a list of numbers of 1, 2, 3, 4, 5, 6' in message


@pytest.mark.parametrize("spots", ["gt2r", ["gt2r", "gt1l"]])
def test_ground_tracks_as_spots_are_referred_to_beams(spots):
    with pytest.raises(SelectionError, match=re.escape(f"beams={spots!r}")):
        select_spots(spots, None, FORWARD)


@pytest.mark.parametrize("beams", ["gt4l", ["gt1l", "GT1R"], [], [1], "strong"])
def test_nonexistent_beams_are_refused(beams):
    with pytest.raises(SelectionError) as caught:
        select_spots(None, beams, FORWARD)
    assert f"beams={beams!r}, expected a list of gt1l, gt1r, gt2l" in str(caught.value)


def test_missing_beam_without_a_known_spot_is_an_error():
    with pytest.raises(SelectionError, match=r"has no gt3r, .* granule has gt1l"):
        select_spots(None, ["gt1l", "gt3r"], {"gt1l": 3})


def as_text(value):
    [one] = np.ravel(value)
    return one.decode() if isinstance(one, bytes) else str(one)


def group_attributes(path):
    """Attributes of the beams of a file, and its first sc_orient."""
    with h5py.File(path) as file:
        # Some writers store a text as an array of one.
        beams = {
            beam: {name: as_text(value) for name, value in file[beam].attrs.items()}
            for beam in BEAMS
            if beam in file
        }
        orient = int(file["orbit_info/sc_orient"][0]) if "orbit_info/sc_orient" in file else None
    return beams, orient


@needs_granules
@pytest.mark.parametrize("path", ALL_GRANULES, ids=lambda path: path.name)
def test_spot_numbers_of_real_granules_follow_the_tables(path):
    beams, orient = group_attributes(granule(path.name))
    numbers = {
        beam: int(np.ravel(attrs["atlas_spot_number"])[0])
        for beam, attrs in beams.items()
        if "atlas_spot_number" in attrs
    }
    if not numbers:
        pytest.skip("no beam of this file has an atlas_spot_number")
    assigned = assign_spots(beams, numbers, orient, None)
    assert {beam: assigned[beam] for beam in numbers} == numbers
    for beam, attrs in beams.items():
        assert beam_strength(assigned[beam]) == attrs["atlas_beam_type"]
    # Each of the other pieces of evidence alone leads to the same.
    attr = next(iter(beams.values()))["sc_orientation"]
    assert assign_spots(beams, {}, None, attr) == assigned
    # The clips say sc_orient 1 though all else in them says backward.
    if orient is not None and "VegR" not in path.name:
        assert assign_spots(beams, {}, orient, None) == assigned
