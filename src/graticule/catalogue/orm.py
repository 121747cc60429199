"""The catalogue's tables: users, roles, keys, maps, layers, shares, and what is known of tables, files and jobs."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# The user id of everyone who has not signed in; features made by it are nobody's own.
ANONYMOUS_ID = 0

# SQLite would give the id of a deleted last row to the next one: an old link must never lead to somebody's new thing.
NEVER_REUSE = {"sqlite_autoincrement": True}

# SQLite counts up only a column declared INTEGER.
BigId = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Every table of the catalogue. Times are epoch seconds."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class User(Base):
    """An account.

    ``username_folded`` makes names unique regardless of case; ``account_hash`` is the MD5 of the id, by which paths
    name the storage of another account.
    """

    __tablename__ = "users"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    username: Mapped[str] = mapped_column(String(100))
    username_folded: Mapped[str] = mapped_column(String(100), unique=True)
    email: Mapped[str | None] = mapped_column(String(255))
    firstname: Mapped[str | None] = mapped_column(String(255))
    lastname: Mapped[str | None] = mapped_column(String(255))
    mobile: Mapped[str | None] = mapped_column(String(100))
    phone: Mapped[str | None] = mapped_column(String(100))
    web: Mapped[str | None] = mapped_column(String(255))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    administrator: Mapped[bool] = mapped_column(default=False)
    created: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    lastlog: Mapped[int | None] = mapped_column(BigInteger)
    resource_id: Mapped[int | None] = mapped_column(BigInteger)
    account_hash: Mapped[str | None] = mapped_column(String(32), unique=True)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)


class LoginFailure(Base):
    """Wrong passwords in a row for a user name, whether or not somebody has it; ``hash`` is that of the name."""

    __tablename__ = "login_failures"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last: Mapped[int] = mapped_column(BigInteger, index=True)


class Resource(Base):
    """Something that can be shared: a map, a layer, a table, a file, a role … Its shares and options hang on its id."""

    __tablename__ = "resources"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    type: Mapped[str] = mapped_column(String(20))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class Role(Base):
    """A group of users. Its members have what is shared with it, or with the role above it, and so on.

    ``tags`` is a JSON array of texts.
    """

    __tablename__ = "roles"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    app_role: Mapped[bool] = mapped_column(default=False)
    app_instance_id: Mapped[int | None] = mapped_column(BigInteger)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("roles.id"), index=True)
    tags: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)

    owner: Mapped[User] = relationship(lazy="joined")


class RoleMember(Base):
    """That a user is in a role."""

    __tablename__ = "role_members"
    __table_args__ = (UniqueConstraint("role_id", "user_id"), Index("ix_role_members_user", "user_id"), NEVER_REUSE)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))


class Share(Base):
    """One permission on one resource, of a user or of a role."""

    __tablename__ = "shares"
    __table_args__ = (
        UniqueConstraint("resource_id", "user_id", "permission"),
        UniqueConstraint("role_id", "resource_id", "permission"),
        Index("ix_shares_user", "user_id", "resource_id"),
        NEVER_REUSE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role_id: Mapped[int | None] = mapped_column(ForeignKey("roles.id", ondelete="CASCADE"))
    permission: Mapped[str] = mapped_column(String(20))


class Option(Base):
    """A named text that programs keep with a user, a map, a layer or anything else that is a resource."""

    __tablename__ = "options"
    __table_args__ = (UniqueConstraint("resource_id", "name"), NEVER_REUSE)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    type: Mapped[str | None] = mapped_column(String(40))
    value: Mapped[str | None] = mapped_column(Text)


class ApiKey(Base):
    """A key. Looked up by the hash of its value, which is stored encrypted."""

    __tablename__ = "api_keys"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    encrypted: Mapped[str] = mapped_column(Text)
    key_desc: Mapped[str | None] = mapped_column(Text)
    scope: Mapped[str | None] = mapped_column(Text)
    key_trunc: Mapped[str] = mapped_column(String(6))
    active: Mapped[bool] = mapped_column(default=True)
    created: Mapped[int] = mapped_column(BigInteger)
    accessed: Mapped[int | None] = mapped_column(BigInteger)


class Session(Base):
    """A browser that has signed in; ``hash`` is that of the value in its cookie."""

    __tablename__ = "sessions"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    created: Mapped[int] = mapped_column(BigInteger)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)


class Map(Base):
    """A map. ``bounds`` is the text that was sent; ``version`` counts changes to everything but the visits."""

    __tablename__ = "maps"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    copyright: Mapped[str | None] = mapped_column(Text)
    epsg: Mapped[str | None] = mapped_column(String(20))
    proj4: Mapped[str] = mapped_column(Text)
    units: Mapped[str] = mapped_column(String(20))
    bounds: Mapped[str | None] = mapped_column(Text)
    bgcolor: Mapped[str | None] = mapped_column(String(20))
    mobileacess: Mapped[str | None] = mapped_column(String(1))
    wmsaccess: Mapped[str | None] = mapped_column(String(1))
    share: Mapped[str | None] = mapped_column(String(1))
    active: Mapped[str] = mapped_column(String(1), default="1")
    visible: Mapped[str] = mapped_column(String(1), default="t")
    archived: Mapped[bool] = mapped_column(default=False)
    maxzoom: Mapped[str | None] = mapped_column(String(10))
    created: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    accessed: Mapped[int] = mapped_column(BigInteger)
    visited: Mapped[int] = mapped_column(BigInteger, default=0)
    version: Mapped[int] = mapped_column(default=1)

    owner: Mapped[User] = relationship(lazy="joined")


class Datasource(Base):
    """Where data comes from: a folder, a database, a table, a file, a service. ``type`` is a number of the API's.

    ``params`` is the text that was sent, less the password of a database, which ``secret`` holds encrypted.
    ``numbers`` is a JSON object of the fields that were sent as numbers, with the digits they were sent with.
    """

    __tablename__ = "datasources"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str | None] = mapped_column(Text)
    type: Mapped[int] = mapped_column(Integer)
    epsg: Mapped[str | None] = mapped_column(String(20))
    proj4: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    copyright: Mapped[str | None] = mapped_column(Text)
    params: Mapped[str | None] = mapped_column(Text)
    secret: Mapped[str | None] = mapped_column(Text)
    numbers: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)


class Form(Base):
    """A form for entering features; ``definition`` and ``mappings`` are the texts that were sent."""

    __tablename__ = "forms"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str | None] = mapped_column(Text)
    definition: Mapped[str | None] = mapped_column(Text)
    mappings: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)


class Job(Base):
    """Work that takes more than a moment. ``arguments`` and ``result`` are JSON objects.

    ``state`` is queued, running, done, failed or cancelled. ``claimed`` is when a worker last said that it is at it;
    ``cancelled`` asks that worker to leave off.
    """

    __tablename__ = "jobs"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(20), index=True)
    percentage: Mapped[int] = mapped_column(default=0)
    rows: Mapped[int] = mapped_column(BigInteger, default=0)
    arguments: Mapped[str] = mapped_column(Text)
    result: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    cancelled: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(100))
    created: Mapped[int] = mapped_column(BigInteger)
    claimed: Mapped[int | None] = mapped_column(BigInteger)
    started: Mapped[int | None] = mapped_column(BigInteger)
    finished: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)


class OAuthClient(Base):
    """A program that users may let act for them. Its secret is stored encrypted."""

    __tablename__ = "oauth_clients"
    __table_args__ = NEVER_REUSE

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    client_id: Mapped[str] = mapped_column(String(40), unique=True)
    secret: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)


class ApprovedApp(Base):
    """That a user lets a program act for them."""

    __tablename__ = "approved_apps"
    __table_args__ = (UniqueConstraint("user_id", "client_id"), NEVER_REUSE)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    client_id: Mapped[int] = mapped_column(ForeignKey("oauth_clients.id", ondelete="CASCADE"), index=True)
    created: Mapped[int] = mapped_column(BigInteger)


class Media(Base):
    """That who may read a feature may read a file that one of its attributes names.

    Kept beside the value since whoever wrote it could read the file then.
    """

    __tablename__ = "media"
    __table_args__ = (
        UniqueConstraint("dataset_id", "feature", "attribute", "account_id", "path"),
        Index("ix_media_file", "account_id", "path"),
        NEVER_REUSE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    feature: Mapped[int] = mapped_column(BigInteger)
    attribute: Mapped[str] = mapped_column(String(255))
    account_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    path: Mapped[str] = mapped_column(Text)


class MapFile(Base):
    """A file that was uploaded for a map: the map's readers may read it where a feature's attribute names it."""

    __tablename__ = "map_files"
    __table_args__ = (
        UniqueConstraint("map_id", "account_id", "path"),
        Index("ix_map_files_file", "account_id", "path"),
        NEVER_REUSE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    map_id: Mapped[int] = mapped_column(ForeignKey("maps.id", ondelete="CASCADE"))
    account_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    path: Mapped[str] = mapped_column(Text)


class Dataset(Base):
    """A table of features: one that a user made, what was read in from a file or a service, or one of a database.

    ``kind`` is ``table``, ``file``, ``wfs`` or ``external``. ``store_table`` is its name in the account's feature
    store; for ``external`` in the database of the datasource. For a file, ``path``, ``sublayer`` and ``family`` say
    what was read, ``stated`` how, ``fingerprint`` what the file looked like, ``job_id`` which job reads it or was the
    last to. ``refreshed`` is when a service was last asked; its ``path`` is the address, its ``fingerprint`` the name
    of the copy before. ``geometry_type`` is that of the table, ``NONE`` for one without geometry, null while it is not
    known.
    """

    __tablename__ = "datasets"
    __table_args__ = (
        UniqueConstraint("account_id", "store_table"),
        Index("ix_datasets_path", "account_id", "path"),
        NEVER_REUSE,
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(10))
    store_table: Mapped[str] = mapped_column(String(100))
    resource_id: Mapped[int | None] = mapped_column(ForeignKey("resources.id"))
    path: Mapped[str | None] = mapped_column(Text)
    sublayer: Mapped[str | None] = mapped_column(Text)
    family: Mapped[str | None] = mapped_column(String(10))
    stated: Mapped[str | None] = mapped_column(Text)
    fingerprint: Mapped[str | None] = mapped_column(Text)
    skipped: Mapped[int] = mapped_column(BigInteger, default=0)
    geometry_type: Mapped[str | None] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(10), default="ready")
    status_text: Mapped[str | None] = mapped_column(Text)
    datasource_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    refreshed: Mapped[int | None] = mapped_column(BigInteger)
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    created: Mapped[int] = mapped_column(BigInteger)


class File(Base):
    """A file or directory of a user's storage that has been given a resource, so that it can be shared."""

    __tablename__ = "files"
    __table_args__ = (UniqueConstraint("account_id", "path"), NEVER_REUSE)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    path: Mapped[str] = mapped_column(Text)
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), unique=True)
    created: Mapped[int] = mapped_column(BigInteger)


class Layer(Base):
    """A layer of a map. ``source_user_id`` set its ``source``; the data behind it is read with that user's rights."""

    __tablename__ = "layers"
    __table_args__ = (Index("ix_layers_map", "map_id", "order"), NEVER_REUSE)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    map_id: Mapped[int] = mapped_column(ForeignKey("maps.id"))
    resource_id: Mapped[int] = mapped_column(ForeignKey("resources.id"), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str | None] = mapped_column(Text)
    type: Mapped[str | None] = mapped_column(String(20))
    source: Mapped[str | None] = mapped_column(Text)
    source_user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("datasets.id"), index=True)
    raster_account_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    raster_path: Mapped[str | None] = mapped_column(Text)
    datasource_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    form_id: Mapped[int | None] = mapped_column(BigInteger, index=True)
    job_id: Mapped[int | None] = mapped_column(BigInteger)
    epsg: Mapped[str | None] = mapped_column(String(20))
    onscale: Mapped[str | None] = mapped_column(String(40))
    offscale: Mapped[str | None] = mapped_column(String(40))
    label: Mapped[str | None] = mapped_column(Text)
    x_min: Mapped[str | None] = mapped_column(String(40))
    x_max: Mapped[str | None] = mapped_column(String(40))
    y_min: Mapped[str | None] = mapped_column(String(40))
    y_max: Mapped[str | None] = mapped_column(String(40))
    textfield: Mapped[str | None] = mapped_column(Text)
    styles: Mapped[str | None] = mapped_column(Text)
    alpha: Mapped[str] = mapped_column(String(10), default="100")
    encoding: Mapped[str | None] = mapped_column(String(40))
    margin: Mapped[str | None] = mapped_column(String(40))
    opened: Mapped[str | None] = mapped_column(String(10))
    visible: Mapped[str] = mapped_column(String(1), default="t")
    lock: Mapped[str] = mapped_column(String(1), default="f")
    exportable: Mapped[str] = mapped_column(String(1), default="f")
    parent: Mapped[int | None] = mapped_column(BigInteger)
    tooltip: Mapped[str | None] = mapped_column(Text)
    label_placement: Mapped[str | None] = mapped_column(Text)
    hidegeometry: Mapped[str] = mapped_column(String(1), default="f")
    geometry_offset: Mapped[str | None] = mapped_column(String(40))
    use_info_window: Mapped[str] = mapped_column(String(1), default="t")
    order: Mapped[int] = mapped_column(default=0)
    raster: Mapped[str | None] = mapped_column(String(40))
    grp: Mapped[str | None] = mapped_column(String(40))
    merged: Mapped[str | None] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(10), default="ready")
    status_text: Mapped[str | None] = mapped_column(Text)
    created: Mapped[int] = mapped_column(BigInteger)
    modified: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(default=1)

    map: Mapped[Map] = relationship(lazy="joined")
    dataset: Mapped[Dataset | None] = relationship(lazy="joined")
