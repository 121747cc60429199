"""Exports that take long: jobs that put a file into their owner's storage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graticule.actions import features, jobs, storage
from graticule.actions.exports import export_layer
from graticule.errors import Forbidden
from graticule.geometry.crs import Crs
from graticule.model.features import Query
from graticule.transfer.drivers import require_export

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graticule.actions.jobs import Progress
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor
    from graticule.catalogue.orm import Job

FOLDER = "exports"


def start_export(
    backend: Backend,
    actor: Actor,
    layer_id: int,
    fmt: str,
    *,
    zipped: bool = False,
    crs: Crs | None = None,
    map_id: int | None = None,
) -> Job:
    """A job that exports a layer. Raises what ``export_layer`` raises at its start."""
    if not actor.signed_in:
        raise Forbidden("Sign in first, or send an API key: the file is put into your storage.")
    data = features.open_layer(backend, actor, layer_id, map_id=map_id)
    if "EXPORT" not in data.held and not ("READ" in data.held and data.layer.exportable == "t"):
        raise Forbidden("Exporting this layer needs the permission EXPORT.")
    arguments = {"layer_id": layer_id, "format": require_export(fmt).name, "zipped": zipped}
    return jobs.start(backend, actor, "export", arguments | {"crs": None if crs is None else crs.wkt})


def run_export(backend: Backend, actor: Actor, arguments: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the file and put it in place. A second run puts it in the place of the first one's."""
    layer_id = int(arguments["layer_id"])
    data = features.open_layer(backend, actor, layer_id)
    total = features.count(backend, data, Query())
    crs = None if arguments["crs"] is None else Crs.from_text(arguments["crs"])
    with backend.files.staging(actor.user_id) as staging:
        made = export_layer(
            backend,
            actor,
            layer_id,
            arguments["format"],
            staging,
            zipped=arguments["zipped"],
            crs=crs,
            progress=lambda done: progress.rows(done, total),
        )
        progress.check()
        path = _free_path(made.name, arguments["job_id"])
        stored = backend.files.write_tree(actor.user_id, "", {path: made.path})
    storage.entries(backend, actor.user_id, stored)
    return {"layer_id": str(layer_id), "file": f"/{path}", "media_type": made.media_type, "size": stored[0].size}


def _free_path(name: str, job_id: int) -> str:
    """A name that no other export has: that of the layer with the number of the job."""
    whole = Path(name)
    return f"{FOLDER}/{whole.stem}_{job_id}{whole.suffix}"
