"""A small map and feature service on real data, which counts what it is asked."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw

GML = 'xmlns:wfs="http://www.opengis.net/wfs" xmlns:gml="http://www.opengis.net/gml" xmlns:t="http://towns.example"'
GML32 = GML.replace("/wfs", "/wfs/2.0").replace("/gml", "/gml/3.2")


@dataclass
class Service:
    """What the service answers with, and all that it was asked: parameters by name in capitals.

    ``pages`` False ignores where a page begins, as some services do; ``most`` is how many features it gives at once.
    """

    cities: list[Any]
    asked: list[dict[str, str]] = field(default_factory=list)
    version: str = "2.0.0"
    status: int = 200
    pages: bool = True
    most: int = 10_000
    many: bool = False
    answers: threading.Event = field(default_factory=threading.Event)
    body: bytes | None = None
    url: str = ""

    def requests(self, kind: str) -> list[dict[str, str]]:
        return [one for one in self.asked if one["REQUEST"] == kind]

    def answer(self, asked: dict[str, str]) -> tuple[str, bytes]:
        if self.body is not None:
            return "text/xml", self.body
        if asked["REQUEST"] == "GetMap":
            return "image/png", picture(asked)
        if asked["REQUEST"] == "GetCapabilities":
            return "text/xml", (self.wfs() if asked["SERVICE"] == "WFS" else b"<WMS_Capabilities version='1.3.0'/>")
        return "text/xml", self.features(asked)

    def wfs(self) -> bytes:
        kinds = "".join(
            f"<FeatureType><Name>{name}</Name><DefaultCRS>urn:ogc:def:crs:EPSG::4326</DefaultCRS></FeatureType>"
            for name in ("t:towns", "t:nothing")
        )
        return f'<WFS_Capabilities version="{self.version}"><L>{kinds}</L></WFS_Capabilities>'.encode()

    def features(self, asked: dict[str, str]) -> bytes:
        newer = self.version.startswith("2")
        if asked.get("TYPENAMES" if newer else "TYPENAME") != "t:towns":
            return b"<ExceptionReport><ExceptionText>no such thing</ExceptionText></ExceptionReport>"
        start = int(asked.get("STARTINDEX", 0)) if self.pages else 0
        count = min(int(asked.get("COUNT", asked.get("MAXFEATURES", self.most))), self.most)
        towns = [self.town(index, one) for index, one in list(enumerate(self.cities))[start : start + count]]
        member = "wfs:member" if newer else "gml:featureMember"
        held = "".join(f"<{member}>{one}</{member}>" for one in towns)
        if self.many:
            held = f"<gml:featureMembers>{''.join(towns)}</gml:featureMembers>"
        matched = f'numberMatched="{len(self.cities)}"' if newer and self.pages else ""
        schema = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://towns.example http://127.0.0.1:1/x"'
        space = GML32 if newer else GML
        return f"<wfs:FeatureCollection {space} {schema} {matched}>{held}</wfs:FeatureCollection>".encode()

    def town(self, index: int, city: Any) -> str:
        """A point, latitude first, as the urn of the projection wants it."""
        x, y = city["geometry"]["coordinates"]
        name, people = escape(str(city["properties"]["name"])), index * 10
        identity = f'gml:id="t.{index}"' if self.version.startswith("2") else f'fid="t.{index}"'
        place = f'<gml:Point srsName="urn:ogc:def:crs:EPSG::4326"><gml:pos>{y} {x}</gml:pos></gml:Point>'
        held = f"<t:geom>{place}</t:geom><t:name>{name}</t:name><t:people>{people}</t:people>"
        return f"<t:towns {identity}>{held}</t:towns>"


def picture(asked: dict[str, str]) -> bytes:
    """Red, and green in its north-eastern quarter; transparent where the longitude is above 170."""
    size = int(asked["WIDTH"]), int(asked["HEIGHT"])
    image = Image.new("RGBA", size, (255, 0, 0, 255))
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, size[0], size[1] // 2 - 1), (0, 255, 0, 255))
    held = io.BytesIO()
    image.save(held, "PNG")
    return held.getvalue()


@contextmanager
def running(data_dir: Path) -> Iterator[Service]:
    """The service at work on an address of this machine."""
    cities = json.loads((data_dir / "cities.geojson").read_text())["features"]
    service = Service(cities)
    service.answers.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = {
                name.upper(): value for name, value in parse_qsl(urlsplit(self.path).query, keep_blank_values=True)
            }
            service.asked.append(asked)
            service.answers.wait(30)
            kind, body = service.answer(asked)
            self.send_response(service.status)
            self.send_header("Content-Type", kind)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        service.url = f"http://127.0.0.1:{listening.server_address[1]}/ows?map=/a%20b.map"
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        yield service
        service.answers.set()
        listening.shutdown()
        thread.join()
