"""A site in virtual time: what the core would be told if uplinks and boxes behaved in a given way.

Not a mock of anything: it plays the bay. It sends echoes at the pace the core asks for, answers or loses
them, asks and answers everything beyond echoes, cuts and boots boxes, kills and starts the agent, and
reports outcomes, all in simulated seconds. Eight hours of an outage take a few real seconds.

``world`` holds the agent and puts the rest together; ``lines`` is how an uplink and its box behave;
``deeds`` is everything that can be done to them by name.
"""
