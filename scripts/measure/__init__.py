"""Measurements, one file each; ``scripts/bench`` runs them. Nothing of the product imports this.

``uplinks`` makes lines of known truth, ``synthetic`` plays them; ``detection`` plays recorded lines,
``targets`` says what was reached, ``sweep`` changes the cost of a switch, ``picture`` draws; ``outages`` is
about how long outages last; ``daemon`` measures the running product.
"""
