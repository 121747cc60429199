"""What ``/openapi.json`` says beyond the routes themselves: parameters, bodies and answers, as one table."""
