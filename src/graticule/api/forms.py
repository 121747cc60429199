"""/forms, and the forms of layers."""

from __future__ import annotations

from fastapi import APIRouter, Response

from graticule.actions import fields, forms
from graticule.actions.forms import Sent
from graticule.api import reply
from graticule.api.deps import ApiCall, Call
from graticule.api.schemas.sources import form_out

router = APIRouter(tags=["forms"])


@router.get("/forms")
def list_forms(call: ApiCall) -> Response:
    """The forms that the caller may read."""
    wanted = call.listing()
    total, views = forms.list_forms(call.backend, call.actor, wanted)
    expand = call.words("expand")
    return reply.listed("forms", total, wanted.page, [form_out(view, expand) for view in views])


@router.post("/forms", status_code=201)
def create_form(call: ApiCall) -> Response:
    """A new form of the caller."""
    view = forms.create_form(call.backend, call.actor, _sent(call))
    return reply.created(call, f"1/forms/{view.form.id}", form_out(view), view.form.version)


@router.put("/forms")
def update_form_named_in_body(call: ApiCall) -> Response:
    """Change the form whose id is in the body."""
    return _update(call, fields.integer("id", fields.required(call.fields, "id"), 0))


@router.get("/forms/{form_id:id}")
def get_form(call: ApiCall, form_id: int) -> Response:
    """One form."""
    view = forms.get_form(call.backend, call.actor, form_id)
    return reply.tagged(call, form_out(view, call.words("expand")), view.form.version)


@router.put("/forms/{form_id:id}")
def update_form(call: ApiCall, form_id: int) -> Response:
    """Change a form."""
    return _update(call, form_id)


def _update(call: Call, form_id: int) -> Response:
    view = forms.update_form(call.backend, call.actor, form_id, _sent(call), call.if_match_version())
    return reply.updated(call, form_out(view), view.form.version)


@router.delete("/forms/{form_id:id}", status_code=204)
def delete_form(call: ApiCall, form_id: int) -> Response:
    """Delete a form."""
    forms.delete_form(call.backend, call.actor, form_id, call.if_match_version())
    return reply.nothing()


@router.get("/layers/{layer_id:id}/forms/{form_id:id}")
def get_form_of_layer(call: ApiCall, layer_id: int, form_id: int) -> Response:
    """The form of a layer."""
    return _get_of_layer(call, layer_id, form_id, None)


@router.get("/maps/{map_id:id}/layers/{layer_id:id}/forms/{form_id:id}")
def get_form_of_layer_of_map(call: ApiCall, map_id: int, layer_id: int, form_id: int) -> Response:
    """The same, below a map."""
    return _get_of_layer(call, layer_id, form_id, map_id)


def _get_of_layer(call: Call, layer_id: int, form_id: int, map_id: int | None) -> Response:
    view = forms.form_of_layer(call.backend, call.actor, layer_id, form_id, map_id)
    return reply.tagged(call, form_out(view), view.form.version)


@router.put("/layers/{layer_id:id}/forms/{form_id:id}")
def attach_form(call: ApiCall, layer_id: int, form_id: int) -> Response:
    """Give a layer a form."""
    return reply.updated(call, form_out(forms.attach(call.backend, call.actor, layer_id, form_id, None)))


@router.put("/maps/{map_id:id}/layers/{layer_id:id}/forms/{form_id:id}")
def attach_form_to_layer_of_map(call: ApiCall, map_id: int, layer_id: int, form_id: int) -> Response:
    """The same, below a map."""
    return reply.updated(call, form_out(forms.attach(call.backend, call.actor, layer_id, form_id, map_id)))


@router.post("/layers/{layer_id:id}/forms/{form_id:id}", status_code=201)
def post_form(call: ApiCall, layer_id: int, form_id: int) -> Response:
    """Give a layer a form."""
    view = forms.attach(call.backend, call.actor, layer_id, form_id, None)
    return reply.created(call, f"1/layers/{layer_id}/forms/{form_id}", form_out(view))


@router.post("/maps/{map_id:id}/layers/{layer_id:id}/forms/{form_id:id}", status_code=201)
def post_form_of_layer_of_map(call: ApiCall, map_id: int, layer_id: int, form_id: int) -> Response:
    """The same, below a map."""
    view = forms.attach(call.backend, call.actor, layer_id, form_id, map_id)
    return reply.created(call, f"1/layers/{layer_id}/forms/{form_id}", form_out(view))


@router.delete("/layers/{layer_id:id}/forms/{form_id:id}", status_code=204)
def detach_form(call: ApiCall, layer_id: int, form_id: int) -> Response:
    """Take the form off a layer."""
    forms.detach(call.backend, call.actor, layer_id, form_id, None)
    return reply.nothing()


@router.delete("/maps/{map_id:id}/layers/{layer_id:id}/forms/{form_id:id}", status_code=204)
def detach_form_of_layer_of_map(call: ApiCall, map_id: int, layer_id: int, form_id: int) -> Response:
    """The same, below a map."""
    forms.detach(call.backend, call.actor, layer_id, form_id, map_id)
    return reply.nothing()


def _sent(call: Call) -> Sent:
    return Sent(call.fields, call.body.written)
