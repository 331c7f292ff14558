"""What is known of many sites from their messages: pure, without a clock and without a connection."""
