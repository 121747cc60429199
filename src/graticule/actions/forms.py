"""Forms for entering features: listing, making, changing, deleting, and attaching them to layers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update

from graticule.actions import fields, layers, listing, need
from graticule.actions.maps import touch
from graticule.actions.users import new_resource
from graticule.actions.versions import check_version
from graticule.catalogue import access
from graticule.catalogue.orm import Form, Layer, Resource
from graticule.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from graticule.actions.listing import Listing
    from graticule.backend import Backend
    from graticule.catalogue.access import Actor

ATTRIBUTES = {
    name: getattr(Form, name) for name in ("id", "resource_id", "name", "owner_id", "created", "modified")
} | {"owner": Form.owner_id}


@dataclass(frozen=True, slots=True)
class FormView:
    """A form with what the caller may do with it."""

    form: Form
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent of a form: its fields, and the JSON text that each was written in."""

    values: Mapping[str, Any]
    written: Mapping[str, str]


def list_forms(backend: Backend, actor: Actor, wanted: Listing) -> tuple[int | None, list[FormView]]:
    """The forms that the caller may read. Raises ``BadRequest``."""
    with backend.catalogue.read() as session:
        visible = access.readable(Form.resource_id, access.holds_for(actor.user_id))
        total, rows = listing.run(session, select(Form).where(visible), wanted, ATTRIBUTES)
        return total, [_view(session, actor, row) for row in rows]


def get_form(backend: Backend, actor: Actor, form_id: int) -> FormView:
    """One form. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        return _view(session, actor, find_form(session, actor, form_id))


def find_form(session: Session, actor: Actor, form_id: int, permission: str = "READ") -> Form:
    """The form. Raises ``NotFound``, ``Forbidden``."""
    found = session.get(Form, form_id)
    held = access.permissions_on(session, actor.user_id, found.resource_id) if found else access.NOTHING
    need.require(held, permission, f"form {form_id}")
    assert found is not None
    return found


def create_form(backend: Backend, actor: Actor, sent: Sent) -> FormView:
    """A new form of the caller. Raises ``BadRequest``, ``Forbidden``."""
    need.signed_in(actor)
    now = int(time.time())
    made = Form(owner_id=actor.user_id, created=now, modified=now, version=1)
    _apply(made, sent)
    with backend.catalogue.write() as session:
        made.resource_id = new_resource(session, "form", actor.user_id)
        session.add(made)
        session.flush()
        return _view(session, actor, made)


def update_form(backend: Backend, actor: Actor, form_id: int, sent: Sent, if_match: int | None = None) -> FormView:
    """Change a form. Raises ``NotFound``, ``Forbidden``, ``BadRequest``, ``PreconditionFailed``."""
    with backend.catalogue.write() as session:
        found = find_form(session, actor, form_id, "EDIT")
        check_version(found.version, if_match)
        before = (found.name, found.definition, found.mappings)
        _apply(found, sent)
        if (found.name, found.definition, found.mappings) != before:
            found.modified = int(time.time())
            found.version += 1
        session.flush()
        return _view(session, actor, found)


def delete_form(backend: Backend, actor: Actor, form_id: int, if_match: int | None = None) -> None:
    """Delete a form, and take it off the layers that have it. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        found = find_form(session, actor, form_id, "OWNER")
        check_version(found.version, if_match)
        session.execute(update(Layer).where(Layer.form_id == found.id).values(form_id=None))
        session.execute(delete(Form).where(Form.id == found.id))
        session.execute(delete(Resource).where(Resource.id == found.resource_id))


def form_of_layer(backend: Backend, actor: Actor, layer_id: int, form_id: int, map_id: int | None) -> FormView:
    """A form that is attached to a layer, for whoever may read the layer. Raises ``NotFound``."""
    with backend.catalogue.read() as session:
        layer = need.find_layer(session, actor, layer_id)
        layers.of_map(layer, map_id)
        found = session.get(Form, form_id) if layer.form_id == form_id else None
        if found is None:
            raise NotFound(f"Layer {layer_id} has no form {form_id}.")
        return _view(session, actor, found)


def attach(backend: Backend, actor: Actor, layer_id: int, form_id: int, map_id: int | None) -> FormView:
    """Give a layer a form that the caller may read, in place of one it has. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        layer = layers.find_to_edit(session, actor, layer_id, map_id)
        found = find_form(session, actor, form_id)
        _set(layer, found.id)
        return _view(session, actor, found)


def detach(backend: Backend, actor: Actor, layer_id: int, form_id: int, map_id: int | None) -> None:
    """Take a form off a layer; the form stays. Raises ``NotFound``, ``Forbidden``."""
    with backend.catalogue.write() as session:
        layer = layers.find_to_edit(session, actor, layer_id, map_id)
        if layer.form_id != form_id:
            raise NotFound(f"Layer {layer_id} has no form {form_id}.")
        _set(layer, None)


def _set(layer: Layer, form_id: int | None) -> None:
    if layer.form_id != form_id:
        layer.form_id = form_id
        touch(layer)


def _view(session: Session, actor: Actor, found: Form) -> FormView:
    return FormView(found, access.permissions_on(session, actor.user_id, found.resource_id))


def _apply(found: Form, sent: Sent) -> None:
    if "name" in sent.values:
        found.name = None if sent.values["name"] is None else fields.text("name", sent.values["name"])
    if "definition" in sent.values:
        found.definition = _definition(sent)
    if "mappings" in sent.values:
        value = sent.values["mappings"]
        found.mappings = None if value is None else fields.text("mappings", sent.written["mappings"])


def _definition(sent: Sent) -> str | None:
    value = sent.values["definition"]
    if value is None or value == "":
        return None
    if isinstance(value, (dict, list)):
        return fields.text("definition", sent.written["definition"])
    return fields.json_text("definition", value)
