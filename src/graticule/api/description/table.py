"""What each call takes and answers, by method and path; ``{}`` is whatever stands there.

``/maps/{m}/layers/{l}…`` takes and answers what ``/layers/{l}…`` does, and has no lines of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graticule.api.description.parameters import (
    EXPRESSIONS,
    FEATURES,
    FIELDS,
    FLAG,
    GEOMETRY,
    LISTING,
    NOATTRIB,
    NUMBER,
    ORDER,
    PAGE,
    PAGE_OF_MAP,
    PICTURE,
    PROJ4,
    PROJECTION,
    SENT_PROJECTION,
    WHERE,
    WHOLE,
    Parameter,
    expand,
    one_of,
)
from graticule.api.schemas import models

if TYPE_CHECKING:
    from pydantic import BaseModel

    Model = type[BaseModel]

MULTIPART = "multipart/form-data"
PNG, JPG, HTML, CSV = "image/png", "image/jpeg", "text/html", "text/csv"
MVT = "application/vnd.mapbox-vector-tile"
ANY_FILE = "*/*"


@dataclass(frozen=True, slots=True)
class Answer:
    """What success is: ``one`` thing, a page of a ``list`` of them, a bare ``array``, or files of those ``types``.

    ``tagged`` has an ETag. ``several`` may stand beside ``one``: an array of these in its place.
    """

    one: Model | None = None
    list: Model | None = None
    array: Model | None = None
    several: Model | None = None
    types: tuple[str, ...] = ()
    tagged: bool = False


@dataclass(frozen=True, slots=True)
class Described:
    """One line of the table: the answer, the parameters, the body, and errors beside the usual ones."""

    answer: Answer
    query: tuple[Parameter, ...] = ()
    body: Model | tuple[Model, ...] | str | None = None
    errors: tuple[int, ...] = ()


def one(model: Model) -> Answer:
    return Answer(one=model, tagged=True)


def made(model: Model) -> Answer:
    return Answer(one=model)


def page(model: Model) -> Answer:
    return Answer(list=model)


def array(model: Model) -> Answer:
    return Answer(array=model)


def file(*types: str) -> Answer:
    return Answer(types=types)


EMPTY = Answer()
OBJECT = Answer(one=models.Thing)
ANYTHING = Answer(types=("application/json",))
BUSY = (409, 503)

TYPE = Parameter("type", "A comma list of private, shared, public and archived.")
LAYER_TYPE = Parameter("type", "A comma list of private, shared and public, or of types of layers.")
MAP_WORDS = expand("owner", "options", "permissions")
LAYER_WORDS = expand("form", "options", "columns", "datasource")
FORCE = Parameter("force", "Delete it although layers show it.", FLAG)
DOWNLOAD = Parameter("download", "Answer it as a file to keep.", FLAG)
DESTINATION = Parameter("destination_map", "Store in the storage of this map's owner, for the map.")
ROW_GEOMETRY = Parameter("geometry", "The format of the geometry column.", one_of("false", "wkt", "wkb"))
LAYER_ID = Parameter("layer_id", "A comma list of layers.", required=True)
POINT = (
    Parameter("point_x", "Longitude or easting.", NUMBER, required=True),
    Parameter("point_y", "Latitude or northing.", NUMBER, required=True),
)
PLACE_SRID = Parameter("srid", "The EPSG code of the projection of the place and of the answer; 4326 where missing.")
OPTION_NAMED = Parameter("name", "Only the option of this name.")
FEATURE_IDS = Parameter("feature_id", "A comma list of features.")
A_LAYER = Parameter("layer_id", "The layer of the features.")
SHAPE = Parameter("shape", "A geometry in any format that features are sent in.")
RELATION = one_of("intersects", "within", "contains")
COLUMN = (Parameter("column", "The column that is asked about."), Parameter("f", "The same as column."))

MAPS = {
    "GET /maps": Described(page(models.Map), (TYPE, *LISTING, MAP_WORDS)),
    "POST /maps": Described(one(models.Map), body=models.MapFields),
    "PUT /maps": Described(one(models.Map), body=models.NamedMapFields),
    "GET /maps/{}": Described(one(models.Map), (MAP_WORDS,)),
    "PUT /maps/{}": Described(
        one(models.Map), (Parameter("archived", "Put it away, or fetch it back.", FLAG),), models.MapFields
    ),
    "DELETE /maps/{}": Described(OBJECT),
    "DELETE /map_cache/{}/{}": Described(EMPTY, (Parameter("layers", "A comma list of layers of the map."),)),
    "GET /maps/{}/layers": Described(page(models.Layer), (LAYER_TYPE, *LISTING, LAYER_WORDS)),
    "POST /maps/{}/layers": Described(one(models.Layer), body=models.LayerFields),
    "PUT /maps/{}/layers": Described(one(models.Layer), body=models.NamedLayerFields),
    "GET /maps/{}/render.png": Described(file(PNG), PICTURE),
    "GET /maps/{}/render.jpg": Described(file(JPG), PICTURE),
    "GET /maps/{}/render.iframe": Described(file(HTML), PAGE_OF_MAP),
    "GET /maps/{}/tiles/{}/{}/{}.mvt": Described(file(MVT), (EXPRESSIONS,)),
    "GET /maps/{}/tiles/{}/{}/{}.png": Described(file(PNG)),
    "GET /maps/{}/tiles/{}/{}/{}.jpg": Described(file(JPG)),
    "GET /maps/{}/tilejson.json": Described(OBJECT),
    "GET /maps/{}/style.json": Described(OBJECT, (EXPRESSIONS,)),
    "GET /maps/{}/get_modified_timestamp": Described(OBJECT),
    "GET /maps/{}/sharing": Described(OBJECT),
}

LAYERS = {
    "GET /layers": Described(page(models.Layer), (LAYER_TYPE, *LISTING, LAYER_WORDS)),
    "POST /layers": Described(one(models.Layer), body=models.NewLayerFields),
    "PUT /layers": Described(one(models.Layer), body=models.NamedLayerFields),
    "GET /layers/{}": Described(one(models.Layer), (LAYER_WORDS,)),
    "PUT /layers/{}": Described(one(models.Layer), body=models.LayerFields),
    "DELETE /layers/{}": Described(EMPTY),
    "GET /layers/{}/columns": Described(array(models.LayerColumn), errors=BUSY),
    "PUT /layers/{}/refresh_columns": Described(array(models.LayerColumn), errors=BUSY),
    "GET /layers/{}/render.png": Described(file(PNG), PICTURE),
    "GET /layers/{}/render.jpg": Described(file(JPG), PICTURE),
    "GET /layers/{}/render.iframe": Described(file(HTML), PAGE_OF_MAP),
    "GET /layers/{}/tiles/{}/{}/{}.mvt": Described(file(MVT), (WHERE,)),
    "GET /layers/{}/tiles/{}/{}/{}.png": Described(file(PNG)),
    "GET /layers/{}/tiles/{}/{}/{}.jpg": Described(file(JPG)),
    "GET /layers/{}/style.json": Described(OBJECT, (EXPRESSIONS,)),
    "GET /layers/{}/export.{}": Described(
        file(ANY_FILE), (Parameter("zip", "Answer it in a zip.", FLAG), *PROJECTION), errors=BUSY
    ),
    "POST /layers/{}/export.{}": Described(
        one(models.Job), (Parameter("zip", "Put it into a zip.", FLAG), *PROJECTION), errors=BUSY
    ),
    "POST /layers/{}/buffer": Described(made(models.Layer), body=models.BufferFields, errors=BUSY),
}

SENT_FEATURES = (models.FeatureFields, models.FeatureCollection)

FEATURES_OF_LAYERS = {
    "GET /layers/{}/features": Described(page(models.Feature), FEATURES, errors=BUSY),
    "GET /layers/{}/features.csv": Described(
        file(CSV), tuple(one for one in FEATURES if one not in PAGE and one is not GEOMETRY), errors=BUSY
    ),
    "POST /layers/{}/features": Described(
        Answer(one=models.MadeFeature, several=models.MadeFeature), SENT_PROJECTION, SENT_FEATURES, errors=BUSY
    ),
    "PUT /layers/{}/features": Described(one(models.Feature), SENT_PROJECTION, models.NamedFeatureFields, BUSY),
    "GET /layers/{}/features/{}": Described(one(models.Feature), (GEOMETRY, *PROJECTION, NOATTRIB), errors=BUSY),
    "PUT /layers/{}/features/{}": Described(one(models.Feature), SENT_PROJECTION, models.FeatureFields, BUSY),
    "DELETE /layers/{}/features/{}": Described(EMPTY, errors=BUSY),
    "GET /layers/{}/features/{}/{}/{}": Described(file(ANY_FILE), (DOWNLOAD,), errors=BUSY),
    "POST /layers/{}/features/{}/{}": Described(OBJECT, body=MULTIPART, errors=BUSY),
}

TABLES = {
    "GET /tables": Described(
        page(models.Table),
        (
            *PAGE,
            expand("count"),
            Parameter("only_spatial", "Only tables with a geometry.", FLAG),
            Parameter("only_non_spatial", "Only tables without one.", FLAG),
            Parameter("connection_id", "Tables of the database that this datasource names."),
        ),
    ),
    "POST /tables": Described(made(models.Table), (expand("count"),), models.TableFields, (409,)),
    "GET /tables/{}": Described(made(models.Table), (expand("count"),)),
    "PUT /tables/{}": Described(EMPTY, errors=(405,)),
    "DELETE /tables/{}": Described(EMPTY, (FORCE,), errors=(409,)),
    "DELETE /tables/{}/rows": Described(EMPTY),
    "DELETE /tables/{}/reset": Described(EMPTY),
    "POST /tables/{}/reset": Described(EMPTY),
    "GET /tables/{}.csv": Described(file(CSV)),
    "GET /tables/{}/rows.csv": Described(file(CSV)),
    "GET /tables/{}/export.csv": Described(file(CSV)),
    "GET /tables/{}/rows": Described(page(models.Row), (*PAGE, ROW_GEOMETRY, FIELDS, WHERE, ORDER)),
    "POST /tables/{}/rows": Described(made(models.Row), SENT_PROJECTION, models.RowFields),
    "GET /tables/{}/rows/{}": Described(one(models.Row), (ROW_GEOMETRY, FIELDS)),
    "PUT /tables/{}/rows/{}": Described(EMPTY, SENT_PROJECTION, models.RowFields),
    "DELETE /tables/{}/rows/{}": Described(EMPTY),
}

QUERIES = {
    "GET /search": Described(
        page(models.Hit),
        (
            Parameter("query", "What to look for.", required=True),
            Parameter(
                "fields", "{layer}~{column},…|*[~{column}[:ASC|DESC]|---], groups with ; between; --- is by distance."
            ),
            Parameter("x", "Longitude or easting of a place: what is near it comes first.", NUMBER),
            Parameter("y", "Latitude or northing of the place.", NUMBER),
            PLACE_SRID,
            PROJ4,
            *PAGE,
            Parameter("replace_special_chars", "Take å and ä for a, č and ć for c, and so on.", FLAG),
            Parameter("address_layer", "A layer of addresses to look at, too."),
            Parameter("columns_meta", "Tell of the columns in meta.columns.", FLAG),
            GEOMETRY,
            NOATTRIB,
        ),
    ),
    "GET /geo_utils/features_at_point": Described(
        array(models.NearFeature),
        (
            LAYER_ID, *POINT, PLACE_SRID, PROJ4, Parameter("buffer", "How far around to look: 10, 10m or 1km."),
            *PAGE, GEOMETRY, WHERE, NOATTRIB,
        ),
        errors=BUSY,
    ),
    "GET /geo_utils/nearest": Described(
        array(models.NearFeature),
        (
            LAYER_ID, *POINT, PLACE_SRID, PROJ4, Parameter("buffer", "How far to look at most: 10, 10m or 1km."),
            Parameter("limit", "How many, 1 where it is missing.", WHOLE), Parameter("k", "The same as limit.", WHOLE),
            Parameter("perpage", "The same as limit.", WHOLE), GEOMETRY, WHERE, NOATTRIB,
        ),
        errors=BUSY,
    ),
    "GET /geo_utils/spatial_filter": Described(
        array(models.NearFeature),
        (
            LAYER_ID, SHAPE, Parameter("relation", "How the features stand to the shape.", RELATION),
            Parameter("filter_layer_id", "A layer whose features are the shape."),
            Parameter("filter_feature_id", "A comma list of features of that layer, where not all are meant."),
            Parameter("filter_where", "A condition on the features of that layer."),
            PLACE_SRID, PROJ4, *PAGE, GEOMETRY, WHERE, NOATTRIB,
        ),
        errors=BUSY,
    ),
    "GET /geo_utils/area": Described(
        ANYTHING, (A_LAYER, SHAPE, FEATURE_IDS, PLACE_SRID, PROJ4, *PAGE, WHERE), errors=BUSY
    ),
    "GET /geo_utils/feature_bounds": Described(
        OBJECT, (LAYER_ID, FEATURE_IDS, PLACE_SRID, PROJ4, WHERE), errors=BUSY
    ),
    "GET /layers/{}/attributeops/distinct": Described(
        ANYTHING, (*COLUMN, WHERE, *PAGE), errors=BUSY
    ),
    **{
        f"GET /layers/{{}}/attributeops/{word}": Described(OBJECT, (*COLUMN, WHERE), errors=BUSY)
        for word in ("info", "min", "max")
    },
}  # fmt: skip

USER_WORDS = expand("options", "roles")

PEOPLE = {
    "GET /users": Described(page(models.User), (*LISTING, USER_WORDS)),
    "POST /users": Described(one(models.User), body=models.UserFields, errors=(409,)),
    "PUT /users": Described(one(models.User), body=models.NamedUserFields, errors=(409,)),
    "GET /users/{}": Described(one(models.User), (USER_WORDS,)),
    "GET /users/current": Described(one(models.User), (USER_WORDS,)),
    "PUT /users/current": Described(one(models.User), body=models.UserFields, errors=(409,)),
    "PUT /users/{}": Described(one(models.User), body=models.UserFields, errors=(409,)),
    "DELETE /users/{}": Described(EMPTY, errors=(409,)),
    "GET /users/current/subscriptions": Described(page(models.Subscription), PAGE),
    "GET /users/current/options": Described(page(models.UserOption), (*PAGE, OPTION_NAMED)),
    "POST /users/current/options": Described(made(models.UserOption), body=models.UserOptionFields),
    "PUT /users/current/options": Described(EMPTY, body=models.UserOptionFields),
    "GET /users/current/options/{}": Described(one(models.UserOption)),
    "PUT /users/current/options/{}": Described(EMPTY, body=models.UserOptionFields),
    "DELETE /users/current/options/{}": Described(EMPTY),
    "GET /roles": Described(page(models.Role), LISTING),
    "POST /roles": Described(one(models.Role), body=models.RoleFields),
    "PUT /roles": Described(one(models.Role), body=models.NamedRoleFields, errors=(409,)),
    "GET /roles/{}": Described(one(models.Role), (expand("owner", "options", "tags", "permissions"),)),
    "PUT /roles/{}": Described(one(models.Role), body=models.RoleFields, errors=(409,)),
    "DELETE /roles/{}": Described(EMPTY, errors=(409,)),
    "GET /roles/{}/users": Described(page(models.Thing), PAGE),
    "POST /roles/{}/users": Described(OBJECT, body=models.MemberFields, errors=(409,)),
    "GET /roles/{}/users/{}": Described(OBJECT),
    "DELETE /roles/{}/users/{}": Described(EMPTY),
    "GET /keys": Described(page(models.Key), PAGE),
    "POST /keys": Described(made(models.Key), body=models.KeyFields, errors=(429,)),
    "GET /keys/{}": Described(one(models.Key)),
    "DELETE /keys/{}": Described(EMPTY),
    "DELETE /keys/rows/{}": Described(EMPTY),
    "GET /oauth2_clients": Described(page(models.Client), PAGE),
    "POST /oauth2_clients": Described(made(models.Client), body=models.ClientFields),
    "GET /oauth2_clients/{}": Described(one(models.Client)),
    "DELETE /oauth2_clients/{}": Described(EMPTY),
    "GET /userapprovedapps": Described(page(models.Approval), PAGE),
    "POST /userapprovedapps": Described(made(models.Approval), body=models.ApprovalFields, errors=(409,)),
    "GET /userapprovedapps/{}": Described(one(models.Approval)),
    "DELETE /userapprovedapps/{}": Described(EMPTY),
}

SHARING = {
    "GET /resources/{}": Described(one(models.Resource)),
    "GET /resources/{}/permissions": Described(page(models.Group), PAGE),
    "POST /resources/{}/permissions": Described(made(models.Share), body=models.ShareFields),
    "GET /resources/{}/permissions/{}": Described(one(models.Share)),
    "DELETE /resources/{}/permissions/{}": Described(EMPTY, errors=(409,)),
    **{
        f"{method} {of}/options{rest}": described
        for of in ("/maps/{}", "/layers/{}", "/resources/{}")
        for method, rest, described in (
            ("GET", "", Described(page(models.Option), (*PAGE, OPTION_NAMED))),
            ("POST", "", Described(made(models.Option), body=models.OptionFields)),
            ("PUT", "", Described(EMPTY, body=models.OptionFields)),
            ("GET", "/{}", Described(one(models.Option))),
            ("PUT", "/{}", Described(EMPTY, body=models.OptionFields)),
            ("DELETE", "/{}", Described(EMPTY)),
        )
    },
}
SHARING |= {name.replace("permissions", "permission"): line for name, line in SHARING.items() if "permissions" in name}

SOURCES = {
    "GET /datasources": Described(page(models.Datasource), (*LISTING, Parameter("type", "A comma list of types."))),
    "POST /datasources": Described(one(models.Datasource), body=models.DatasourceFields),
    "PUT /datasources": Described(one(models.Datasource), body=models.NamedDatasourceFields),
    "GET /datasources/{}": Described(one(models.Datasource), (expand("permissions"),)),
    "PUT /datasources/{}": Described(one(models.Datasource), body=models.DatasourceFields),
    "DELETE /datasources/{}": Described(EMPTY, errors=(409,)),
    "GET /forms": Described(page(models.Form), LISTING),
    "POST /forms": Described(one(models.Form), body=models.FormFields),
    "PUT /forms": Described(one(models.Form), body=models.NamedFormFields),
    "GET /forms/{}": Described(one(models.Form)),
    "PUT /forms/{}": Described(one(models.Form), body=models.FormFields),
    "DELETE /forms/{}": Described(EMPTY, errors=(409,)),
    "GET /layers/{}/forms": Described(page(models.Form), PAGE),
    "GET /layers/{}/forms/{}": Described(one(models.Form)),
    "POST /layers/{}/forms/{}": Described(made(models.Form), body=models.FormFields),
    "PUT /layers/{}/forms/{}": Described(made(models.Form), body=models.FormFields),
    "DELETE /layers/{}/forms/{}": Described(EMPTY),
    "GET /jobs": Described(page(models.Job), LISTING),
    "PUT /jobs/{}": Described(one(models.Job), body=models.JobFields),
    "GET /jobs/{}": Described(one(models.Job)),
    "DELETE /jobs/{}": Described(EMPTY, errors=(409,)),
}

FILES = {
    "GET /storage/fs": Described(page(models.Entry)),
    "GET /storage/fs/{}": Described(file(ANY_FILE), (DOWNLOAD,), errors=(206, 416)),
    "POST /storage/fs": Described(made(models.Thing), (DESTINATION,), MULTIPART),
    "POST /storage/fs/{}": Described(made(models.Thing), (DESTINATION,), MULTIPART),
    "PUT /storage/fs/{}": Described(made(models.Entry), body=models.ContentFields),
    "DELETE /storage/fs/{}": Described(EMPTY),
    "GET /health": Described(made(models.Health)),
}

TABLE: dict[str, Described] = {
    **MAPS, **LAYERS, **FEATURES_OF_LAYERS, **TABLES, **QUERIES, **PEOPLE, **SHARING, **SOURCES, **FILES
}  # fmt: skip
