"""Files and tiles that try to make the server read what is not theirs, or ask machines on its network."""

from __future__ import annotations

import io
import socket
import sqlite3
import struct
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import rasterio
from PIL import Image
from rasterio.transform import Affine

from graticule.errors import BadRequest
from graticule.transfer import engine
from graticule.transfer.fetching import Unfetchable
from graticule.transfer.rasters import open_raster, prepare, read_window
from graticule.transfer.reading import open_source
from graticule.transfer.web_tiles import TileServer, _decoded, _fetch

SIDE = 2048
BOX = (0.0, 0.0, float(SIDE), float(SIDE))
OWN, SECRET = 1, 99


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """An image that belongs to somebody else."""
    return image(tmp_path / "secret.tif", SIDE // 4, SECRET)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port of this machine; whoever connects to it was led there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield server


def image(path: Path, side: int, value: int, **tags: str) -> Path:
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 3, "dtype": "uint8", "compress": "deflate"}
    with rasterio.open(path, "w", **profile, crs="EPSG:3857", transform=Affine(1, 0, 0, 0, -1, side)) as target:
        target.write(np.full((3, side, side), value, np.uint8))
        if tags:
            target.update_tags(ns="OVERVIEWS", **tags)
    return path


def virtual(path: Path) -> str:
    """GDAL's description of an image that is made of another file."""
    band = '<VRTRasterBand dataType="Byte" band="{0}"><SimpleSource><SourceFilename>{1}</SourceFilename></SimpleSource>'
    bands = "".join(band.format(number, path) + "</VRTRasterBand>" for number in (1, 2, 3))
    return f'<VRTDataset rasterXSize="{SIDE // 4}" rasterYSize="{SIDE // 4}">{bands}</VRTDataset>'


def remote(listener: socket.socket) -> str:
    """GDAL's description of an image that is fetched from a server."""
    corners = "<UpperLeftX>0</UpperLeftX><UpperLeftY>512</UpperLeftY><LowerRightX>512</LowerRightX>"
    window = f"{corners}<LowerRightY>0</LowerRightY><SizeX>512</SizeX><SizeY>512</SizeY><TileLevel>1</TileLevel>"
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/${{z}}/${{x}}/${{y}}.png"
    return (
        f'<GDAL_WMS><Service name="TMS"><ServerUrl>{address}</ServerUrl></Service><DataWindow>{window}</DataWindow>'
        "<Projection>EPSG:3857</Projection><BlockSizeX>256</BlockSizeX><BlockSizeY>256</BlockSizeY>"
        "<BandsCount>3</BandsCount></GDAL_WMS>"
    )


def nobody_came(listener: socket.socket) -> bool:
    try:
        listener.accept()
    except TimeoutError:
        return True
    return False


@pytest.mark.parametrize("suffix", [".ovr", ".msk"])
def test_files_beside_an_image_are_not_followed(
    tmp_path: Path, secret: Path, listener: socket.socket, suffix: str
) -> None:
    for number, described in enumerate((virtual(secret), remote(listener))):
        path = image(tmp_path / f"mine{number}.tif", SIDE, OWN)
        path.with_name(path.name + suffix).write_text(described)
        assert not open_raster(path).has_overviews
        assert (read_window(path, BOX, "EPSG:3857", 64, 64)[8:-8, 8:-8] == (OWN, OWN, OWN, 255)).all()
    assert nobody_came(listener)


def test_an_image_may_not_name_another_file_as_its_overviews(tmp_path: Path, secret: Path) -> None:
    inside = image(tmp_path / "inside.tif", SIDE, OWN, OVERVIEW_FILE=str(secret))
    beside = image(tmp_path / "beside.tif", SIDE, OWN)
    item = f'<Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{secret}</MDI></Metadata>'
    beside.with_name("beside.tif.aux.xml").write_text(f"<PAMDataset>{item}</PAMDataset>")
    for path in (inside, beside):
        with pytest.raises(BadRequest, match="names another file"):
            open_raster(path)
        with pytest.raises(BadRequest, match="names another file"):
            read_window(path, BOX, "EPSG:3857", 64, 64)


def test_what_stands_beside_an_image_rightly_still_counts(tmp_path: Path) -> None:
    path = tmp_path / "MAP.PNG"
    Image.new("RGB", (10, 10), (OWN, OWN, OWN)).save(path, "PNG")
    (tmp_path / "map.pgw").write_text("1\n0\n0\n-1\n0.5\n9.5\n")
    (tmp_path / "map.PRJ").write_text(rasterio.CRS.from_epsg(3857).to_wkt())
    info = open_raster(path)
    assert (info.box, info.crs) == ((0, 0, 10, 10), "EPSG:3857")


def test_a_small_file_may_not_be_an_endless_image(tmp_path: Path) -> None:
    path = tmp_path / "endless.png"
    side = 60_000
    header = b"\0\0\0\rIHDR" + struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes((side // 8 + 1) * 1000), 9)
    end = b"\0\0\0\0IEND\xaeB`\x82"
    parts = (header, struct.pack(">I", zlib.crc32(header[4:])), struct.pack(">I", len(data) - 4), data)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + struct.pack(">I", zlib.crc32(data)) + end)
    path.with_suffix(".pgw").write_text("0.001\n0\n0\n-0.001\n0\n60\n")
    with pytest.raises(BadRequest, match="60000 by 60000 pixels"):
        open_raster(path)


def test_an_image_of_two_colours(tmp_path: Path) -> None:
    path = tmp_path / "plan.png"
    Image.new("1", (1500, 1500), 1).save(path)
    path.with_suffix(".pgw").write_text("0.001\n0\n0\n-0.001\n0\n1.5\n")
    ready = prepare(path, tmp_path / "ready.tif")
    assert (read_window(ready, (0.5, 0.5, 1, 1), "EPSG:4326", 4, 4) == 255).all()


@pytest.mark.parametrize("module", ["VirtualText('{}', 'UTF-8', 0, POINT, NONE, ':')", "VirtualOGR('{}')"])
@pytest.mark.parametrize("suffix", [".sqlite", ".gpkg"])
def test_a_database_may_not_read_other_files(tmp_path: Path, module: str, suffix: str) -> None:
    other = tmp_path / "secret.csv"
    other.write_text("a:b\nthe:secret\n")
    path = tmp_path / f"mine{suffix}"
    if suffix == ".gpkg":
        engine.save(pa.table({"a": ["1"]}).to_reader(), path, "plain", "GPKG")
    with closing(sqlite3.connect(path)) as database:
        if suffix == ".gpkg":
            database.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('taken', 'attributes')")
            database.execute("INSERT INTO gpkg_contents (table_name, data_type) VALUES ('looking', 'attributes')")
        database.execute("CREATE VIEW looking AS SELECT * FROM taken")
        database.execute("PRAGMA writable_schema = ON")
        virtual_table = f"CREATE VIRTUAL TABLE taken USING {module.format(other)}"
        database.execute("INSERT INTO sqlite_master VALUES ('table', 'taken', 'taken', 0, ?)", (virtual_table,))
        database.commit()
    for layer in ("taken", "looking"):
        with pytest.raises(BadRequest):
            list(open_source(path, layer=layer).batches())


def test_a_table_of_mapinfo_may_not_name_others_however_far_down(tmp_path: Path) -> None:
    (tmp_path / "mine.dat").write_bytes(b"x")
    (tmp_path / "mine.tab").write_text("!table\n!version 300\n" + "\n" * 70_000 + 'open table "/secret"\n')
    with pytest.raises(BadRequest, match="only refers to other tables"):
        open_source(tmp_path / "mine.tab")


def test_a_tile_is_an_image_and_nothing_else(secret: Path, listener: socket.socket) -> None:
    for described in (virtual(secret), remote(listener)):
        with pytest.raises(Unfetchable):
            _decoded(described.encode())
    with pytest.raises(Unfetchable):
        _decoded(secret.read_bytes())
    assert nobody_came(listener)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_an_image_that_unpacks_to_far_more_is_no_tile() -> None:
    with pytest.raises(Unfetchable, match="too large"):
        _decoded(png(5000))
    assert _decoded(png(512)).shape == (4, 256, 256)


def png(side: int) -> bytes:
    held = io.BytesIO()
    Image.new("RGB", (side, side)).save(held, "PNG")
    return held.getvalue()


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"])
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_server_that_answers_in_drops_is_hung_up_on(begun: bytes) -> None:
    hung_up: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=lambda: hung_up.append(drip(server, begun)))
        dripping.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/{{z}}/{{x}}/{{y}}.png"
        with pytest.raises(Unfetchable):
            _fetch(TileServer(address, timeout=0.5, private=True), 0, 0, 0)
        dripping.join()
    assert hung_up == [True]


def drip(server: socket.socket, begun: bytes) -> bool:
    """Answer a byte at a time, for some ten seconds; whether the other side had enough of it before."""
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.settimeout(0.1)
        try:
            connection.sendall(begun)
            for _ in range(100):
                connection.sendall(b"H")
                try:
                    return connection.recv(1) == b""
                except TimeoutError:
                    continue
        except OSError:
            return True
    return False
