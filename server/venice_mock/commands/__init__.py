"""One module per command of the command line. Each has ``SUMMARY``, ``parser()`` and ``run(arguments)``."""
