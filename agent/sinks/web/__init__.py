"""The panel for those who do not stand before it: a small read-only page on the site's own network.

``minutes`` and ``story`` hold what was; ``panel``, ``uplink``, ``plot``, ``history`` and ``sheet`` turn what
is known into HTML, ``document`` puts a page around it; ``server`` speaks HTTP with strangers, ``sink`` joins
them.
"""
