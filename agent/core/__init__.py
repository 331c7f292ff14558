"""The decisions, and nothing else.

Two rules, both held by ``tests/test_architecture.py``:

1. Nothing here reads a clock, waits, logs, draws lots or touches the machine. Time is an argument, waiting
   is a state, hardware is an action in the result. So any recorded day can be replayed, and every rule
   can be checked by random testing without a clock.
2. Nothing here imports anything of ours from outside this package.

Reading order: ``model`` (the words), ``step`` (the function), then ``health``, ``diagnosis``, ``power``,
``incident``, and ``snapshot`` (what everybody else gets to see).
"""
