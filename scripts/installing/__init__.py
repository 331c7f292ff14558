"""Puts Vigie onto a machine, brings it up to date, takes it back, and removes it again.

Only the standard library: this runs before anything else is there.
"""
