"""The things of the API as its description has them (the contract, sections 2 to 10).

Answers are written as bytes and never pass through these models: they are what ``/openapi.json`` is made of, and the
tests hold every answer against it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Letter = Literal["t", "f"]


class Thing(BaseModel):
    """What every model shares: answers may hold more than is told here."""

    model_config = ConfigDict(extra="allow")


class Map(Thing):
    """A map."""

    id: str
    owner: str | dict[str, Any] = Field(description="The owner's id; with expand=owner {id, username}.")
    resource_id: str
    name: str | None
    description: str | None
    copyright: str | None
    epsg: str | None
    proj4: str | None
    units: Literal["meter", "foot", "foot_us", "degree"] | None
    bounds: str | None = Field(description='JSON text {"xmin","ymin","xmax","ymax"} in map units.')
    bgcolor: str | None
    mobileacess: Letter | None
    wmsaccess: Letter | None
    share: Letter | None
    active: str
    visible: Letter
    archived: Letter
    maxzoom: str | None
    visited: str
    created: int = Field(description="Seconds since 1970, as all times that are numbers.")
    modified: int
    accessed: int
    options: list[Any] | None = Field(None, description="With expand=options.")
    permissions: list[str] | None = Field(None, description="The caller's, with expand=permissions.")


class MapFields(Thing):
    """What of a map can be set; null means the default."""

    name: str | None = None
    description: str | None = None
    copyright: str | None = None
    epsg: str | int | None = None
    proj4: str | None = None
    bounds: str | dict[str, Any] | None = None
    bgcolor: str | None = None
    mobileacess: bool | Letter | None = None
    wmsaccess: bool | Letter | None = None
    share: bool | Letter | None = None
    visible: bool | Letter | None = None
    archived: bool | Letter | None = None
    maxzoom: str | int | None = None


class NamedMapFields(MapFields):
    """The same with the id of the map to change."""

    id: str | int


class Layer(Thing):
    """A layer of a map."""

    id: str
    name: str | None
    owner: str
    type: Literal["point", "line", "polygon", "raster", "tile", "wms", "wfs", "folder"] | None
    map_id: str
    source: str | None = Field(description='JSON text, as sent: {"type": "file", "src": "/dir/roads.shp"} and so on.')
    datasource_id: str | None
    resource_id: str
    epsg: str | None
    onscale: str | None
    offscale: str | None
    label: str | None
    created: int
    modified: int
    x_min: str | None
    x_max: str | None
    y_min: str | None
    y_max: str | None
    textfield: str | None
    styles: str | None = Field(description="JSON text of an array of classes.")
    alpha: str
    encoding: str | None
    margin: str | None
    opened: str | None
    visible: Letter
    lock: Letter
    exportable: Letter
    parent: str | None
    tooltip: str | None
    label_placement: str | None
    hidegeometry: Letter
    geometry_offset: str | None
    use_info_window: Letter
    order: str
    raster: str | None
    grp: str | None
    merged: str | None
    status: Literal["ready", "busy", "error"]
    status_text: str | None
    job_id: str | None
    options: list[Any] | None = Field(None, description="With expand=options.")
    columns: dict[str, Any] | None = Field(None, description="By name, with expand=columns.")
    datasource: dict[str, Any] | None = Field(None, description="With expand=datasource.")
    form: dict[str, Any] | None = Field(None, description="With expand=form.")


class LayerFields(Thing):
    """What of a layer can be set; null means the default."""

    name: str | None = None
    type: str | None = None
    source: str | dict[str, Any] | None = None
    styles: str | list[Any] | None = None
    parent: str | int | None = None
    order: str | int | None = None
    alpha: str | int | None = None
    visible: bool | Letter | None = None
    exportable: bool | Letter | None = None
    lock: bool | Letter | None = None
    hidegeometry: bool | Letter | None = None
    use_info_window: bool | Letter | None = None
    tooltip: str | None = None
    label: str | None = None
    textfield: str | None = None
    onscale: str | int | None = None
    offscale: str | int | None = None
    datasource_id: str | int | None = None


class NewLayerFields(LayerFields):
    """The same with the map that the layer is for."""

    mid: str | int | None = None
    map_id: str | int | None = None


class NamedLayerFields(LayerFields):
    """The same with the id of the layer to change."""

    id: str | int


class LayerColumn(Thing):
    """A column of a layer."""

    name: str
    type: Literal["text", "integer", "real", "number", "boolean", "date", "datetime"]


class Feature(Thing):
    """A feature; with ``geometry=`` also ``__geometry`` and ``__epsg``."""

    id: int = Field(alias="__id")
    owner: int = Field(alias="__owner")
    created: int = Field(alias="__created")
    modified: int = Field(alias="__modified")
    xmin: float | None = Field(alias="__xmin")
    ymin: float | None = Field(alias="__ymin")
    xmax: float | None = Field(alias="__xmax")
    ymax: float | None = Field(alias="__ymax")
    data: dict[str, Any]
    geometry: str | dict[str, Any] | None = Field(None, alias="__geometry")
    epsg: int | None = Field(None, alias="__epsg")


class MadeFeature(Thing):
    """The id of a feature that was made."""

    id: int = Field(alias="__id")


class FeatureFields(Thing):
    """Attributes, and the geometry as WKT, EWKT, GeoJSON, KML or GML."""

    data: dict[str, Any] | None = None
    geometry: str | dict[str, Any] | None = None


class NamedFeatureFields(FeatureFields):
    """The same with the id of the feature to change."""

    id: int = Field(alias="__id")


class FeatureCollection(Thing):
    """Features as GeoJSON."""

    type: Literal["FeatureCollection"]
    features: list[dict[str, Any]]


class Column(Thing):
    """A column of a table."""

    type: Literal["text", "number", "integer", "real", "boolean", "date", "datetime"]
    not_null: bool = False


class Table(Thing):
    """A table."""

    name: str
    geometry: str | None
    srid: int | None
    is_view: bool
    primary_key: str
    columns: dict[str, Column]
    schema_: str = Field(alias="schema")
    resource_id: str
    owner_id: int
    num_rows: int | None = Field(None, description="With expand=count.")


class TableFields(Thing):
    """A new table: its columns, or the file or service that it is made of."""

    name: str
    geometry: str | None = None
    srid: int | None = 4326
    columns: dict[str, Column] | None = None
    source: str | dict[str, Any] | None = None


class Row(Thing):
    """A row: every value as text."""

    ogc_fid: str
    created: str | None = Field(None, alias="__created")
    modified: str | None = Field(None, alias="__modified")
    owner: str | None = Field(None, alias="__owner")
    wkb_geometry: str | None = Field(None, description="With geometry=wkt or wkb.")


class RowFields(FeatureFields):
    """The values of a row by column, and its geometry."""


class Option(Thing):
    """A free option of a map, a layer or a resource."""

    id: str | int
    option_name: str
    option_value: str | None
    option_type: str | int | None


class OptionFields(Thing):
    """An option to keep; an object is kept as its JSON text."""

    option_name: str | None = None
    option_value: Any = None
    option_type: str | int | None = None


class UserOption(Thing):
    """A free option of a user."""

    name: str
    type: str | int | None
    value: str | None


class UserOptionFields(Thing):
    """An option of a user to keep."""

    name: str | None = None
    type: str | int | None = None
    value: Any = None


class User(Thing):
    """A user."""

    id: int | str = Field(description="A number; for users/current as text.")
    username: str
    email: str | None
    active: bool
    firstname: str | None
    lastname: str | None
    created: int
    modified: int
    lastlog: int | None
    owner_id: int
    mobile: str | None
    web: str | None
    phone: str | None
    file_feature_count: int | None = None
    db_feature_count: int | None = None
    storage_raster: int | None = None
    storage_total: int | None = None
    feature_count_limit: int | None = None
    storage_raster_limit: int | None = None
    resource_id: int
    oidc: bool
    options: list[UserOption] | None = Field(None, description="With expand=options.")
    roles: list[Any] | None = Field(None, description="With expand=roles.")


class UserFields(Thing):
    """What of a user can be set; ``password`` is never shown."""

    username: str | None = None
    email: str | None = None
    password: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    mobile: str | None = None
    web: str | None = None
    phone: str | None = None


class NamedUserFields(UserFields):
    """The same with the id of the user to change."""

    id: int | str


class Subscription(Thing):
    """What an account may use; everybody has everything."""

    app_instance_id: str
    type: int
    active: Literal["t"]
    ends: None


class Role(Thing):
    """A group of users; roles nest."""

    id: int
    name: str
    app_role: bool
    parent_id: int | None
    owner_id: int
    owner_name: str


class RoleFields(Thing):
    """What of a role can be set."""

    name: str | None = None
    parent_id: int | str | None = None


class NamedRoleFields(RoleFields):
    """The same with the id of the role to change."""

    id: int | str


class MemberFields(Thing):
    """Who to make a member, by id or name."""

    user_id: int | str | None = None
    username: str | None = None


class Key(Thing):
    """An API key."""

    id: str
    key: str
    key_desc: str | None
    created: str | None
    accessed: str | None
    key_trunc: str
    active: Letter
    scope: str | None = None
    value: str | None = Field(None, description="The key, where it was just made.")


class KeyFields(Thing):
    """What a key is for. The scopes read, write and features limit it; other words are kept and limit nothing."""

    key_desc: str | None = None
    scope: str | None = None


class Client(Thing):
    """A program that users may let act for them."""

    id: int
    client_id: str
    client_secret: str
    redirect_uri: str
    owner: int
    name: str
    description: str | None


class ClientFields(Thing):
    """A program to register."""

    name: str
    redirect_uri: str
    description: str | None = None


class Approval(Thing):
    """That a user lets a program act for them."""

    id: int
    uid: int
    client_id: int


class ApprovalFields(Thing):
    """The program to let act."""

    client_id: int | str


class Resource(Thing):
    """What a resource is, and the id of the thing itself as ``<type>_id``."""

    id: str
    type: str
    owner: str


class Group(Thing):
    """What one user or role may do."""

    permissions: list[dict[str, str]] = Field(description="{type, share_id}")
    username: str | None = None
    role: str | None = None
    role_id: str | int | None = None


class Share(Thing):
    """One permission of one user or role."""

    id: str
    resource_id: str
    user_id: str | None = None
    dependency_option_id: None
    username: str | None = None
    permission: str


class ShareFields(Thing):
    """Whom to give which permission; the user anonymous means everyone."""

    username: str | None = None
    role_id: int | str | None = None
    role: str | None = None
    permission: str


class Entry(Thing):
    """A file or directory."""

    id: str
    resource_id: str
    name: str
    filename: str
    extension: str
    path: str
    pathname: str
    size: int | None
    is_dir: Letter
    created: int
    modified: int


class ContentFields(Thing):
    """The new content of a file."""

    content: str


class Datasource(Thing):
    """Where data comes from."""

    id: str
    resource_id: str
    name: str | None
    owner_id: int
    type: int = Field(description="5 folder, 10 database, 15 table, 20 file, 40 and 50 WMS, 60 TMS, 70 WFS, 80 WMTS.")
    epsg: Any = None
    proj4: str | None = None
    description: str | None = None
    copyright: str | None = None
    params: str | None = Field(None, description="JSON text, as sent, without secrets.")


class DatasourceFields(Thing):
    """What of a datasource can be set."""

    name: str | None = None
    type: int | str | None = None
    epsg: str | int | None = None
    proj4: str | None = None
    description: str | None = None
    copyright: str | None = None
    params: str | dict[str, Any] | None = None
    x_min: float | str | None = None
    x_max: float | str | None = None
    y_min: float | str | None = None
    y_max: float | str | None = None


class NamedDatasourceFields(DatasourceFields):
    """The same with the id of the datasource to change."""

    id: str | int


class Form(Thing):
    """A form for entering features."""

    id: str | int
    name: str | None
    definition: str | None = Field(description="JSON text, as sent.")
    mappings: Any = None


class FormFields(Thing):
    """What of a form can be set."""

    name: str | None = None
    definition: Any = None
    mappings: Any = None


class NamedFormFields(FormFields):
    """The same with the id of the form to change."""

    id: str | int


class Hit(Thing):
    """A feature that a search found."""

    layer: str | int = Field(alias="layerId")
    id: int = Field(alias="__id")
    result: str | None = Field(description="The text that matched.")
    match: str | None = Field(alias="__match", description="The column that it is in.")
    data: dict[str, Any]


class NearFeature(Feature):
    """A feature with the layer that it is of."""

    layer: str | int = Field(alias="__layerId")


class BufferFields(Thing):
    """What to buffer by and how the new layer looks. Numbers may be texts."""

    name: str = Field(description="Name of the new layer.")
    size: float | str = Field(description="How far the buffer reaches, in units.")
    units: Literal["meter", "kilometer", "mile", "degree"] | None = None
    merge_geom: bool | str | None = Field(None, description="Make one geometry of all; true where it is missing.")
    border_width: int | str | None = Field(None, description="1 to 4 pixels.")
    border_color: str | None = Field(None, description="r,g,b")
    fill_color: str | None = Field(None, description="r,g,b")


class Job(Thing):
    """Work that takes more than a moment."""

    id: str
    owner: str
    kind: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    percentage: int
    rows: int
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    created: int
    started: int | None
    finished: int | None


class JobFields(Thing):
    """Of a job only that it is cancelled can be said."""

    state: Literal["cancelled"] | None = None


class Failure(Thing):
    """Every error, whatever the call."""

    code: str = Field(description="For programs: BAD_REQUEST, FORBIDDEN, RESOURCE_NOT_FOUND and so on.")
    msg: str = Field(description="The short name.")
    nested: FailureDetail


class FailureDetail(Thing):
    """What went wrong, for a person; and which field was at fault, where one was."""

    msg: str
    field: str | None = None
    value: Any = None
    expected: str | None = None


class Health(Thing):
    """That the server works."""

    status: str
    version: str
