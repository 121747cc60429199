"""Which content type a user's file is sent with, and whether a browser may show it in place.

A table of our own: what the machine's tables say would differ from one server to the next. Scripts have no type here,
so that a page's policy of running scripts from its own server only can never let a user's file run.
"""

from __future__ import annotations

_UNKNOWN = "application/octet-stream"

CONTENT_TYPES = {
    # raster images
    "avif": "image/avif",
    "bmp": "image/bmp",
    "gif": "image/gif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
    # audio
    "aac": "audio/aac",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "weba": "audio/webm",
    # video
    "3gp": "video/3gpp",
    "avi": "video/x-msvideo",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp4": "video/mp4",
    "mpeg": "video/mpeg",
    "mpg": "video/mpeg",
    "ogv": "video/ogg",
    "webm": "video/webm",
    # documents and texts
    "css": "text/css; charset=utf-8",
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "json": "application/json",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "xhtml": "application/xhtml+xml",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
    # geographic data
    "dbf": "application/vnd.dbf",
    "fgb": "application/vnd.flatgeobuf",
    "geojson": "application/geo+json",
    "gml": "application/gml+xml",
    "gpkg": "application/geopackage+sqlite3",
    "gpx": "application/gpx+xml",
    "kml": "application/vnd.google-earth.kml+xml",
    "kmz": "application/vnd.google-earth.kmz",
    "shp": "application/vnd.shp",
    "shx": "application/vnd.shx",
}


def serving(name: str) -> tuple[str, bool]:
    """The content type for a file of this name, and whether it may be shown inline; if not, it is an attachment."""
    _, dot, suffix = name.rpartition(".")
    content_type = CONTENT_TYPES.get(suffix.lower(), _UNKNOWN) if dot else _UNKNOWN
    return content_type, _harmless(content_type)


def _harmless(content_type: str) -> bool:
    """Raster images, sound, film, PDF and plain text: nothing in them runs in the page's name."""
    family, _, kind = content_type.partition("/")
    if family == "image":
        return kind != "svg+xml"
    return family in {"audio", "video"} or content_type == "application/pdf" or content_type.startswith("text/plain")
