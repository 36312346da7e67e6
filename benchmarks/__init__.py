"""How fast granules open and read, beside everything else that reads them: ``make bench``."""
