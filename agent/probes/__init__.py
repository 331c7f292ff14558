"""Probes see: each asks, and hands over an observation with the reason. None decides, none logs verdicts."""
