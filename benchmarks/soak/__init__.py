"""The soak: hours of a life in minutes, then the books. Run ``python -m benchmarks.soak``.

Clients that pay, fail, leave and look load two workers on a real Redis server. At the end every charge is accounted
for, memory is flat, and nothing failed that was not asked to.
"""
