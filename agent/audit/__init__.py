"""The audit of a site: its weak points, the worst first, and what to buy next. Pure."""
