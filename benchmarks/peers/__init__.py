"""Other mock servers, sent the same requests as ours. Run ``python -m benchmarks.peers``."""
