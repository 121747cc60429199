"""The queue that brings jobs to workers, and who is a worker. What a job does is in ``actions/``."""
