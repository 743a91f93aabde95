"""What a run leaves behind: reports made from a ``RunResult``, and nothing that sends or judges.

``writing.write_reports`` writes all of them; ``terminal`` tells a run to whoever waits for it.
"""
