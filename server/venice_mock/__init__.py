"""venice-mock: a local server that answers the Venice.ai image edit API as the real one does."""

__version__ = "0.1.0"
