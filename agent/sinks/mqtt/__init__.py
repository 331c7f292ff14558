"""What the broker is told, and how it is reached.

``topics`` and ``payloads`` (beside this package) are pure; ``connection`` is the one file that imports the
library; ``sink`` keeps the broker informed through one connection after the other.
"""
