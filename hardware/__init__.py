"""Drivers of the devices in the bay. Imports nothing of ``agent``, so it can be used and benched alone.

To add a driver: write one file that wraps one library behind a protocol of ``hardware.ports``, add it to
the table in ``agent/drivers.py``, and add it to the parametrised contract tests in ``tests/contract``.
"""
