"""Papers about a site: what was tried out, promised and measured."""
