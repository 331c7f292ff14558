"""Sinks show: each is a pure rendering of the snapshot plus a thin writer, and knows no driver."""
