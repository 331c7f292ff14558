"""Recorded time through the same core: verdicts of a past day, and what they would have been worth.

``reading`` turns files into observations, ``playing`` feeds them to the core, ``score`` says what the
verdicts cost, ``peers`` are other systems' rules on the same observations, ``comparing`` sets them side by
side. Nothing here asks a clock or a die: the same trace gives the same output on any machine.
"""
