"""XML from strangers: no DTD, no entities, no files, no network; and the coordinates in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from lxml import etree

from graticule.geometry.parsed import bad_geometry, finite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

MAX_XML = 32 * 1024 * 1024

_COMMA = re.compile(r"\s*,\s*")
_PREFIXED = re.compile(r"<gml:(\w+)")


def parse(text: str) -> Any:
    """The root element of an XML text. Raises BadRequest for broken XML, a DTD or an entity, or more than 32 MiB."""
    if len(text) > MAX_XML:
        raise bad_geometry(f"The XML is longer than {MAX_XML} characters.")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise bad_geometry("The XML carries a document type definition, which is not taken.", text)
    try:
        return etree.fromstring(_declared(text).strip().encode("utf-8"), _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        raise bad_geometry(f"The XML is broken: {str(error)[:200]}.", text) from error


def _declared(text: str) -> str:
    """The text with the prefix ``gml`` declared: PostGIS and GDAL write fragments for a document that does so."""
    return (
        text if "xmlns:gml" in text else _PREFIXED.sub(r'<gml:\1 xmlns:gml="http://www.opengis.net/gml"', text, count=1)
    )


def _parser() -> Any:
    # The encoding is ours whatever the declaration says: what comes in here is text already.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def name_of(element: Any) -> str:
    """The element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Any, *names: str) -> Iterator[Any]:
    """The children of those names, whatever their namespace."""
    return (child for child in element if name_of(child) in names)


def text_of(element: Any) -> str:
    """The text of an element that holds nothing else."""
    return (element.text or "").strip()


def tuples(text: str, where: str) -> NDArray[np.float64]:
    """Coordinates of shape (n, 2 or 3) out of ``x,y[,z] x,y[,z]``, as KML and GML 2 write them. Raises BadRequest."""
    rows = _COMMA.sub(",", text.strip()).split()
    sizes = {row.count(",") + 1 for row in rows}
    if len(sizes) > 1 or not sizes <= {2, 3}:
        raise bad_geometry(f"In {where} every position must have two numbers, or every one three.", text)
    return numbers(",".join(rows).split(",") if rows else [], max(sizes, default=2), where)


def numbers(words: list[str], dimension: int, where: str) -> NDArray[np.float64]:
    """Coordinates of shape (n, dimension) out of numbers in a row. Raises BadRequest."""
    if len(words) % dimension:
        raise bad_geometry(f"In {where} the {len(words)} numbers do not make positions of {dimension}.")
    try:
        flat = np.array(words, dtype=np.float64)
    except ValueError as error:
        raise bad_geometry(f"In {where} there is a coordinate that is not a number.", " ".join(words)) from error
    return finite(flat.reshape(-1, dimension), where)
