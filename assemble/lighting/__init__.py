"""Lighting checks: does the light hold from shot to shot and inside each, like compared with like, in units of the trade."""
