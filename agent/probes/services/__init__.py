"""What the business needs: each service asked once, through one way, by its own protocol."""
