"""Prints what is announced to Home Assistant, and what its entities then read, as one JSON object."""

from __future__ import annotations

import json
import sys

from home_sites import cases

json.dump(
    [
        {
            "name": case.name,
            "discovery": {topic: payload.decode() for topic, payload in case.discovery.items()},
            "said": [(topic, payload.decode()) for topic, payload in case.said],
        }
        for case in cases()
    ],
    sys.stdout,
)
