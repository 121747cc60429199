"""Features of a Web Feature Service (OGC 02-058, 04-094, 09-025r2), fetched page by page into one GML file."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lxml import etree

from graticule.geometry.crs import named_srid
from graticule.transfer.fetching import Terms, Unfetchable, fetch, fetch_to
from graticule.transfer.services import with_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

VERSIONS = ("2.0.2", "2.0.0", "1.1.0", "1.0.0")
NEWEST = "2.0.0"
LARGEST_CAPABILITIES = 32 * 1024**2
PAGE = 10_000
LONGEST_REASON = 300
XML = "text/xml,application/xml"
MEMBERS = frozenset({"member", "featureMember", "featureMembers"})


@dataclass(frozen=True, slots=True)
class WfsServer:
    """A layer of a service; ``srs`` is the name of the projection to ask for, None the service's own.

    ``timeout`` is in seconds for each step of an answer; a page may take ten times as long. ``largest`` is in bytes.
    """

    url: str
    layer: str
    srs: str | None
    timeout: float
    largest: int
    private: bool = False


@dataclass(frozen=True, slots=True)
class Fetched:
    """The features as a GML file, and the projection that the service says they are in (``EPSG:n``), if it does."""

    path: Path
    features: int
    crs: str | None


@dataclass(frozen=True, slots=True)
class _Service:
    version: str
    layer: str
    srs: str | None


@dataclass(slots=True)
class _Page:
    """What a page held: how many features, the first one's text, and how many there are in all, if that is said.

    ``tag`` is the name of its root.
    """

    tag: bytes = b""
    features: int = 0
    first: bytes = b""
    matched: int | None = None


def fetch_wfs(server: WfsServer, folder: Path) -> Fetched:
    """All features of the layer, in a new file of that folder. Raises ``Unfetchable``."""
    service = _asked(server)
    path = folder / "features.gml"
    with path.open("wb") as file:
        count = _all_pages(server, service, folder / "page.xml", file)
    if count == 0:
        raise Unfetchable(f"the layer {server.layer} has no features")
    srid = named_srid(server.srs or service.srs or "")
    return Fetched(path, count, None if srid is None else f"EPSG:{srid}")


def _asked(server: WfsServer) -> _Service:
    """Which version the service speaks, and what it calls the layer. Raises ``Unfetchable``."""
    asked = {"SERVICE": "WFS", "REQUEST": "GetCapabilities", "ACCEPTVERSIONS": "2.0.0,1.1.0,1.0.0"}
    terms = Terms(server.timeout, LARGEST_CAPABILITIES, server.private, XML)
    root = _parsed(fetch(with_query(server.url, asked), terms))
    if not _name(root).endswith("Capabilities"):
        raise Unfetchable("what is at this address does not answer as a feature service")
    version = root.get("version", NEWEST)
    found = {(_child(one, "Name") or "").strip(): one for one in root.iter("{*}FeatureType")}
    name = _layer_name(server.layer, list(found))
    srs = next(filter(None, (_child(found[name], tag) for tag in ("DefaultCRS", "DefaultSRS", "SRS"))), None)
    return _Service(version if version in VERSIONS else NEWEST, name, srs.strip() if srs else None)


def _layer_name(wanted: str, known: list[str]) -> str:
    if wanted in known:
        return wanted
    local = [name for name in known if name.rpartition(":")[2] == wanted.rpartition(":")[2]]
    if len(local) != 1:
        raise Unfetchable(f"the service has no layer {wanted}")
    return local[0]


def _all_pages(server: WfsServer, service: _Service, held: Path, file: BinaryIO) -> int:
    """Write the features of all pages as one collection; a service that knows no pages is asked for all at once."""
    paged = service.version != "1.0.0"
    first = _page(server, service, held, file, 0 if paged else None, begin=True)
    count, page = first.features, first
    while paged and page.features and (page.matched is None or count < page.matched):
        page = _page(server, service, held, file, count, unlike=first.first)
        if page.first == first.first:
            if first.features < PAGE:
                break
            file.seek(0)
            file.truncate()
            count = _page(server, service, held, file, None, begin=True).features
            break
        count += page.features
    file.write(b"</" + first.tag + b">")
    return count


def _page(
    server: WfsServer,
    service: _Service,
    held: Path,
    file: BinaryIO,
    start: int | None,
    *,
    begin: bool = False,
    unlike: bytes | None = None,
) -> _Page:
    """Fetch a page and write its features, unless it begins like another one. Raises ``Unfetchable``."""
    left = server.largest - file.tell()
    terms = Terms(server.timeout, max(left, 0), server.private, XML, total=10 * server.timeout)
    fetch_to(with_query(server.url, _query(server, service, start)), held, terms)
    found = _Page()
    for kind, element in _members(held):
        if kind == "root":
            matched = element.get("numberMatched", "")
            found.matched = int(matched) if matched.isascii() and matched.isdigit() and len(matched) < 16 else None
            opening = _opening(element)
            found.tag = opening.rstrip(b">").split(None, 1)[0].removeprefix(b"<")
            if begin:
                file.write(opening)
            continue
        text = etree.tostring(element, with_tail=False)
        if not found.features:
            found.first = text
            if text == unlike:
                return found
        file.write(text)
        found.features += 1
    return found


def _query(server: WfsServer, service: _Service, start: int | None) -> dict[str, str]:
    newer = service.version.startswith("2.")
    asked = {"SERVICE": "WFS", "VERSION": service.version, "REQUEST": "GetFeature"}
    asked["TYPENAMES" if newer else "TYPENAME"] = service.layer
    if server.srs is not None:
        asked["SRSNAME"] = server.srs
    if start is not None:
        asked["COUNT" if newer else "MAXFEATURES"] = str(PAGE)
        asked["STARTINDEX"] = str(start)
    return asked


def _members(path: Path) -> Iterator[tuple[str, Any]]:
    """The root of a collection, then each of its features inside a member; all are forgotten after use.

    Raises ``Unfetchable`` for what is no collection.
    """
    depth, many = 0, None
    parser = etree.iterparse(
        str(path), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        for event, element in parser:
            if event == "start":
                depth += 1
                if depth == 1:
                    _check_collection(element, path)
                    yield "root", element
                elif depth == 2:
                    many = element if _name(element) == "featureMembers" else None
                continue
            depth -= 1
            if depth == 2 and many is not None:
                yield "member", _alone(many, element)
                _forget(element)
            elif depth == 1:
                if many is None and _name(element) in MEMBERS:
                    yield "member", element
                _forget(element)
    except etree.XMLSyntaxError as error:
        raise Unfetchable(f"what the service sent is no XML: {str(error)[:LONGEST_REASON]}") from error


def _forget(element: Any) -> None:
    """Let go of an element that has been read, and of those before it."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _alone(many: Any, element: Any) -> Any:
    """A feature of many, in a member of its own."""
    namespace = etree.QName(many).namespace
    member = etree.Element(f"{{{namespace}}}featureMember" if namespace else "featureMember", nsmap=many.nsmap)
    member.append(deepcopy(element))
    return member


def _check_collection(root: Any, path: Path) -> None:
    if root.getroottree().docinfo.doctype:
        raise Unfetchable("what the service sent has a document type, which is not taken")
    if "Exception" in _name(root):
        raise Unfetchable(f"the service says: {_said(path)}")
    if not _name(root).endswith("Collection"):
        raise Unfetchable("what the service sent is no collection of features")


def _said(path: Path) -> str:
    """The words of an error that a service reports."""
    with path.open("rb") as file:
        root = _parsed(file.read(1024**2))
    return " ".join(" ".join(root.itertext()).split())[:LONGEST_REASON]


def _opening(root: Any) -> bytes:
    """The root's tag with its namespaces, without attributes: an address of a schema among them is not wanted."""
    opening: bytes = etree.tostring(etree.Element(root.tag, nsmap=root.nsmap))
    return opening.removesuffix(b"/>") + b">"


def _parsed(body: bytes) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        raise Unfetchable("what is at this address does not answer as a feature service") from error


def _name(element: Any) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def _child(element: Any, name: str) -> str | None:
    text: str | None = element.findtext(f"{{*}}{name}")
    return text
