"""The language of conditions: ``where`` of features, ``expression`` of styles, and ``order_by``. Begin at ``nodes``."""
