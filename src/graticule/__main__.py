"""``python -m graticule`` is the command line."""

from graticule.cli import main

main()
