"""The virtual bay: a whole site in network namespaces, for demonstration and for tests.

Nothing in ``agent`` knows that a bay is virtual, except the ``demo`` command, which builds and plays one.
"""
