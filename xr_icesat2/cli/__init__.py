"""The command ``icesat2``: search, list, inspect and download granules.

:mod:`.main` parses arguments and returns the exit code. :mod:`.search`, :mod:`.ls`, :mod:`.info`
and :mod:`.get` are the subcommands, and :mod:`.output` prints.
"""
