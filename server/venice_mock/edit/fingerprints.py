"""What makes two requests the same logical request: caller, path, fields and picture, whatever the body's framing.

A retry of a form has another boundary, and JSON may come with its members in another order; neither counts.
"""

from __future__ import annotations

import hashlib
import json

from venice_mock.state.story import Story


def fingerprint(story: Story) -> None:
    """Set the story's fingerprint, and its picture's hash where nobody has made it yet. Without a body: none."""
    if story.fields is None:
        return
    picture = None
    if story.input is not None:
        if story.input.sha256 is None and story.input.data is not None:
            story.input.sha256 = hashlib.sha256(story.input.data).hexdigest()
        picture = story.input.sha256 or story.input.url
    said = [story.sender.account or story.sender.address, story.method, story.path, story.fields, picture]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), default=str)
    story.fingerprint = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
