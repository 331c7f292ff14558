"""The configuration: one TOML file, read once at the start, wholly right or not used at all.

``schema`` says what there is, ``reader`` turns a file into a ``Config`` or into all of its problems,
``effective`` shows and translates a ``Config``, ``notices`` gives advice on one that is right.
"""
