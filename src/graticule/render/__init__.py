"""Maps and extents made into images."""

import os

# Mapnik's wheel points PROJ and GDAL at its own data for the whole process, where other libraries that carry theirs
# look too and then find no proj.db. Mapnik itself needs neither here: it is given coordinates that are ready to draw.
_FOR_ALL = {name: os.environ.get(name) for name in ("PROJ_LIB", "GDAL_DATA")}

import mapnik  # noqa: E402, F401

for _name, _value in _FOR_ALL.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value
