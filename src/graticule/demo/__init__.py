"""The demonstration data: Natural Earth 1:110m countries, 1:10m lakes and land boundaries, all in the public domain."""

from pathlib import Path

FOLDER = Path(__file__).parent
ARCHIVES = tuple(FOLDER / f"{name}.zip" for name in ("countries", "lakes", "borders"))

# Some capitals, as (name, country, longitude, latitude).
CAPITALS = (
    ("Berlin", "Germany", 13.40, 52.52),
    ("Paris", "France", 2.35, 48.86),
    ("Zagreb", "Croatia", 15.98, 45.81),
    ("Nairobi", "Kenya", 36.82, -1.29),
    ("Cairo", "Egypt", 31.24, 30.04),
    ("Tokyo", "Japan", 139.69, 35.69),
    ("New Delhi", "India", 77.21, 28.61),
    ("Canberra", "Australia", 149.13, -35.28),
    ("Washington", "United States of America", -77.04, 38.91),
    ("Ottawa", "Canada", -75.70, 45.42),
    ("Brasília", "Brazil", -47.88, -15.79),
    ("Lima", "Peru", -77.04, -12.05),
    ("Reykjavík", "Iceland", -21.94, 64.15),
    ("Pretoria", "South Africa", 28.19, -25.75),
)
