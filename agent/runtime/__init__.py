"""The imperative shell around the core: clock, engine, actuator, store, board, control socket."""
