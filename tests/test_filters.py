"""Filters of a chunk are undone, or an error says why not."""

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xr_icesat2.hdf5 import filters
from xr_icesat2.hdf5.filters import FilterError, undo_filters
from xr_icesat2.hdf5.model import Filter

DEFLATE, SHUFFLE, FLETCHER32 = 1, 2, 3
steps = st.one_of(
    st.just(Filter(DEFLATE)),
    st.builds(Filter, st.just(SHUFFLE), st.integers(1, 9)),
    st.just(Filter(FLETCHER32)),
)


def apply(step, data):
    """One filter as the HDF5 documentation describes it, without the library's help."""
    if step.id == DEFLATE:
        return zlib.compress(data, 6)
    if step.id == FLETCHER32:
        return data + fletcher32(data).to_bytes(4, "little")
    whole = len(data) // step.element_size * step.element_size
    elements = np.frombuffer(data[:whole], np.uint8).reshape(-1, step.element_size)
    return elements.T.tobytes() + data[whole:]


def fletcher32(data):
    """The checksum over big-endian words; an odd last byte is the upper half of one."""
    words = np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").tolist()
    low = high = 0
    for word in words:
        low = (low + word) % 65535
        high = (high + low) % 65535
    # Sums are folded, so that 65535 stands for zero unless all was zero.
    low, high = (low or 65535, high or 65535) if any(words) else (0, 0)
    return high << 16 | low


@given(st.binary(max_size=300), st.lists(steps, max_size=5), st.data())
def test_filters_round_trip(data, pipeline, draws):
    mask = draws.draw(st.integers(0, 2 ** len(pipeline) - 1))
    raw = data
    for number, step in enumerate(pipeline):
        if not mask >> number & 1:
            raw = apply(step, raw)
    try:
        assert undo_filters(raw, pipeline, mask, len(data)) == data
    except FilterError as error:
        # Fletcher's sum of nothing cannot be distinguished from none.
        assert "fletcher32" in str(error)  # noqa: PT017 - it may also succeed
        assert not data


@given(st.binary(min_size=1, max_size=200), st.lists(steps, max_size=4), st.data())
def test_damaged_streams_give_the_right_length_or_an_error(raw, pipeline, draws):
    size = draws.draw(st.integers(0, 300))
    try:
        restored = undo_filters(raw, pipeline, 0, size)
    except FilterError as error:
        assert str(error)  # noqa: PT017
    else:
        assert len(restored) == size


@pytest.mark.parametrize("position", [0, 7, 39, 41, 43])
def test_flipped_byte_fails_the_checksum(position):
    raw = bytearray(apply(Filter(FLETCHER32), bytes(range(40))))
    raw[position] ^= 0x10
    with pytest.raises(FilterError, match="fletcher32"):
        undo_filters(bytes(raw), [Filter(FLETCHER32)], 0, 40)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (zlib.compress(bytes(100))[:-1], "does not end"),
        (zlib.compress(bytes(101)), "101 bytes, expected 100"),
        (zlib.compress(bytes(99)), "99 bytes, expected 100"),
        (zlib.compress(bytes(1 << 24)), "does not end"),
        (b"<html>", "header"),
        (b"", "does not end"),
    ],
)
@pytest.mark.parametrize("installed", [True, False])
def test_broken_stream_is_an_error(raw, message, installed, monkeypatch):
    if not installed:
        monkeypatch.setattr(filters, "libdeflate", None)
    with pytest.raises(FilterError, match=message):
        undo_filters(raw, [Filter(DEFLATE)], 0, 100)


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("kinds", [1, 2, 16, 256])
def test_small_and_large_ratios_decompress(kinds, installed, monkeypatch):
    """Chunks that are packed tightly are inflated by another library than the others."""
    if not installed:
        monkeypatch.setattr(filters, "libdeflate", None)
    data = np.random.default_rng(1).integers(0, kinds, 40_000).astype("u1").tobytes()
    assert undo_filters(zlib.compress(data), [Filter(DEFLATE)], 0, len(data)) == data


def test_bytes_after_the_stream_are_ignored():
    raw = zlib.compress(bytes(100)) + b"left over in the file"
    assert undo_filters(raw, [Filter(DEFLATE)], 0, 100) == bytes(100)


def test_incompressible_data_in_many_pipelines_fits_the_bound():
    data = np.random.default_rng(1).bytes(1 << 18)
    pipeline = [Filter(DEFLATE), Filter(FLETCHER32), Filter(DEFLATE), Filter(DEFLATE)]
    raw = data
    for step in pipeline:
        raw = apply(step, raw)
    assert undo_filters(raw, pipeline, 0, len(data)) == data
