"""Schemathesis against the mock: does the server keep what its own OpenAPI document says?

Independent of venice_contract: other people's generator and checks. It has an environment of its own, in which only
``hooks`` and ``deviations`` are loaded; everything else runs in the project's environment.
"""
