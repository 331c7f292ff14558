"""Vigie: the watchdog of a dealership's network bay.

Probes see, the core decides, hardware acts, sinks show.
"""

__version__ = "0.1.0"
