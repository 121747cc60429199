"""Graticule, a self-hosted cloud GIS."""

__version__ = "0.1.0"
