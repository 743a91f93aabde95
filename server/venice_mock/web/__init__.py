"""HTTP: the routes, and what stands before them. Nothing here decides what an answer says."""
