"""Parameters of addresses, with what they mean; many calls share them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter: its JSON schema and what it means."""

    name: str
    meaning: str
    schema: dict[str, Any] = field(default_factory=lambda: {"type": "string"})
    required: bool = False


FLAG: dict[str, Any] = {"type": "boolean"}
WHOLE: dict[str, Any] = {"type": "integer", "minimum": 1}
PIXELS: dict[str, Any] = {"type": "integer", "minimum": 1, "maximum": 4096, "default": 256}
NUMBER: dict[str, Any] = {"type": "number"}


def one_of(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(words)}


def expand(*words: str) -> Parameter:
    """What an answer may be made fuller by."""
    return Parameter("expand", "A comma list of what to tell in full: " + ", ".join(words) + ".")


PAGE = (
    Parameter("perpage", "How many on a page.", WHOLE | {"default": 100, "description": "More than 1000 mean 1000."}),
    Parameter("page", "Which page, from 1.", WHOLE | {"default": 1}),
    Parameter("nototal", "Do not count them all; quicker.", FLAG),
)
SEARCHED = (
    Parameter("query", "Only what contains this text, whatever its case."),
    Parameter("query_on", "A comma list of the fields that query looks at; name where it is missing."),
)
ORDER = Parameter("order_by", "A comma list of fields, each with :asc or :desc where wanted.")
LISTING = (*PAGE, ORDER, *SEARCHED)

EPSG = Parameter("epsg", "The EPSG code of the projection of the answer; that of the map where it is missing.")
SRID = Parameter("srid", "The same as epsg.")
PROJ4 = Parameter("proj4", "The projection of the answer as a Proj4 text, in place of an EPSG code.")
PROJECTION = (EPSG, SRID, PROJ4)
GEOMETRY = Parameter("geometry", "Tell the geometry, in this format.", one_of("geojson", "wkt", "kml", "gml"))
BOUNDS = Parameter("bounds", "xmin,ymin,xmax,ymax: only what is there, in the projection of the answer.")
WHERE = Parameter("where", "A condition on the attributes, in the manner of SQL: POP_EST > 1000000 AND NAME LIKE 'A%'.")
NOATTRIB = Parameter("noattrib", "Leave the attributes out.", FLAG)
FIELDS = Parameter("fields", "A comma list of the attributes to tell.")

SENT_PROJECTION = (
    Parameter("epsg", "The EPSG code of the projection of the geometry that is sent."),
    Parameter("srid", "The same as epsg."),
    Parameter("proj4", "The projection of the geometry that is sent as a Proj4 text."),
)
FEATURES = (
    *PAGE, GEOMETRY, *PROJECTION, BOUNDS, Parameter("bound", "The same as bounds."), WHERE, NOATTRIB, FIELDS,
    Parameter("order_by", "A comma list of attributes, each with :asc or :desc where wanted."),
)  # fmt: skip

PICTURE = (
    Parameter("width", "Width in pixels, 1 to 4096.", PIXELS),
    Parameter("height", "Height in pixels, 1 to 4096.", PIXELS),
    Parameter("bounds", "xmin,ymin,xmax,ymax of the picture; all that the map shows where it is missing."),
    Parameter("bound", "The same as bounds."),
    Parameter("epsg", "The EPSG code of the projection of the picture; that of the map where it is missing."),
    Parameter("proj4", "The projection of the picture as a Proj4 text."),
    Parameter("srid", "The EPSG code of the projection of bounds; that of the picture where it is missing."),
    Parameter("numscale", "The denominator of the scale, around the middle of bounds: 20000."),
    Parameter("layerlist", "Draw a legend beside.", FLAG),
    Parameter("download", "Answer it as a file to keep, under the map's name.", FLAG),
    Parameter("invalidate", "Draw it anew and replace what is in store; needs EDIT.", FLAG),
    Parameter("justgenerate", "Draw it and put nothing in store.", FLAG),
    Parameter("saveto", "Keep the picture at this path of the caller's storage, too."),
    Parameter("timestamp", "When the map last changed, as far as the caller knows: allows to keep the picture longer."),
    Parameter("phender", "false: answer only what is in store, else 404.", FLAG | {"default": True}),
)
EXPRESSIONS = Parameter(
    "expressions", "{layer_id}~{condition}[;…]: draw only the features of a layer that it holds for."
)
PAGE_OF_MAP = (
    Parameter("toolbar", "Show the toolbar.", FLAG),
    Parameter("layerlist", "Show the list of layers.", FLAG),
    Parameter("layerlist_expanded", "Show the list of layers opened.", FLAG),
    Parameter("popups", "Show a feature's attributes on a click.", FLAG),
    Parameter("popupus", "The same as popups.", FLAG),
    Parameter("layer_id", "The layer that feature_id, f and v are of.", WHOLE),
    Parameter("feature_id", "A feature to select and go to.", WHOLE),
    Parameter("bounds", "xmin,ymin,xmax,ymax to begin with."),
    Parameter("bound", "The same as bounds."),
    Parameter("srid", "The EPSG code of the projection of bounds."),
    Parameter("width", "Width of the map, a CSS length.", {"type": "string", "default": "100%"}),
    Parameter("height", "Height of the map, a CSS length.", {"type": "string", "default": "100%"}),
    Parameter("visibility", "A comma list of the layers to show."),
    EXPRESSIONS,
    Parameter("f", "With layer_id and v: go to the features whose attribute f …"),
    Parameter("v", "… has this value."),
    Parameter("numscale", "The denominator of the scale to begin with."),
    Parameter("scalebar", "Show a scale bar.", FLAG),
    Parameter("noattrib", "Show no attribution.", FLAG),
    Parameter("noctrl", "Show no controls, whatever else is asked for.", FLAG),
    Parameter("no3d", "Keep the map flat and north up: no tilting, no turning.", FLAG),
    Parameter("lockzoom", "Do not zoom.", FLAG),
    Parameter("search", "Show a search box.", FLAG),
    Parameter("style", "The path of a CSS file in the storage of the map's owner, without @import and url()."),
    Parameter("invalidate", "Taken for the sake of older programs: the page always shows what is so.", FLAG),
)
