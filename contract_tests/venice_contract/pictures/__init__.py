"""Pictures: small recipes that are built late, a look at what comes back, and the sizes that the contract promises.

Knows nothing of servers, and of the mock only the shape of its edition files.
"""

from __future__ import annotations
