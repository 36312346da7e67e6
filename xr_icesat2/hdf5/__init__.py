"""Read HDF5 metadata without the HDF5 library: headers, links, heaps, B-trees.

Each parser is a generator that yields the byte ranges it needs and is sent the bytes
(:mod:`.parser_driver`). So any number of objects are read concurrently, in as few round trips as
the pointers of the file allow. What the parsers do not support is read through
:mod:`.h5py_fallback`.
"""
