"""Frozen data that the floors above pass to each other. Knows no database, no HTTP and no file format."""
