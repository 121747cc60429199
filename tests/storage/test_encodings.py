"""The encoding of file names is guessed from few and short ones."""

from __future__ import annotations

import pytest

from graticule.storage.encodings import guess_encoding


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("roads.shp", "ascii"),
        ("Źródła_łąki.shp", "utf-8"),
        ("дороги.shp", "utf-8"),
        ("Дороги_города.shp", "cp866"),
        ("реки.shp", "cp866"),
        ("ДОРОГИ.shp", "cp866"),
        ("реки.shp", "cp1251"),
        ("Źródła_łąki.shp", "cp852"),
        ("Źródła_łąki.shp", "cp1250"),
        ("Straßen_Köln.shp", "cp437"),
        ("Straßen_Köln.shp", "cp1252"),
        ("routes_été.shp", "cp850"),
        ("routes_été.shp", "cp1252"),
        ("ceste_župnija_Škofja.shp", "cp852"),
        ("España/ríos.shp", "cp437"),
        ("日本の道路.shp", "cp932"),
        ("中国道路.shp", "gb18030"),
        ("도로망.shp", "euc_kr"),
        ("臺灣道路.shp", "big5"),
    ],
)
def test_names_are_read_as_they_were_written(name: str, encoding: str) -> None:
    written = name.encode(encoding)
    assert written.decode(guess_encoding([b"readme.txt", written])) == name


def test_what_fits_no_encoding_is_still_given_one() -> None:
    noise = bytes(range(128, 256))
    assert noise.decode(guess_encoding([noise]))
