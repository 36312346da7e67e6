"""Reading HDF5 metadata without the HDF5 library: headers, links, heaps, B-trees.

Each part is a generator that yields the byte ranges it needs and is sent the
bytes (:mod:`.fetch`), so that any number of objects are read side by side in
as few round trips as the file's own pointers allow.
"""
