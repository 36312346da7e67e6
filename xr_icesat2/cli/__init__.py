"""``icesat2``: granules from a shell.

- :mod:`.main` -- arguments, errors, exit codes
- :mod:`.search`, :mod:`.listing`, :mod:`.info`, :mod:`.get` -- one subcommand each
- :mod:`.places` -- what stands for a granule on a command line
"""
