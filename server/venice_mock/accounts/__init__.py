"""Who calls, and what it costs."""
