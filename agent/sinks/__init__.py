"""Sinks show: each is a pure rendering of the snapshot plus a thin writer. None knows a driver or another sink."""
