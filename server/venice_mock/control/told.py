"""What the control plane answers, as JSON Schema: one constant for each answer that has a body. Nothing else.

The test of the document holds real answers against them.
"""

from __future__ import annotations

from venice_mock.control.shapes import (
    ANY_OBJECT,
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    USD,
    Node,
    listed,
    mapped,
    maybe,
    one_of,
    or_null,
    shape,
)

_TEXT_OR_NULL = or_null(TEXT)
_USD_OR_NULL = or_null(USD)

ABOUT: Node = shape(
    "What runs here, and where to go.",
    mock=TEXT,
    name=TEXT,
    version=TEXT,
    session=TEXT,
    edition=TEXT,
    behavior=one_of("documented", "observed"),
    seed=or_null(COUNT),
    uptime_s=NUMBER,
    pid=COUNT,
    cache=shape(
        "The pictures that this process made before and keeps, for all sessions.",
        hits=COUNT,
        misses=COUNT,
        entries=COUNT,
        bytes=COUNT,
        limit_bytes=COUNT,
        evictions=COUNT,
    ),
    png_writer=one_of("isal", "zlib"),
    links=mapped(TEXT),
)
CONTRACT: Node = shape(
    "The rules that hold.",
    edition=TEXT,
    behavior=one_of("documented", "observed"),
    rules=listed(
        {
            "type": "object",
            "required": ["id", "level", "text", "source", "certainty"],
            "properties": {
                "id": TEXT,
                "level": one_of("must", "should", "may", "observe"),
                "text": TEXT,
                "source": TEXT,
                "certainty": TEXT,
            },
        }
    ),
)
CLOCK: Node = shape(
    "The session's time, and whether it stands or runs ahead.",
    now=TIME,
    frozen_at=or_null(TIME),
    offset_s=NUMBER,
)
_HOLDER: dict[str, Node] = {
    "kind": one_of("key", "wallet"),
    "account": TEXT,
    "last4": maybe({**_TEXT_OR_NULL, "description": "Of a key that is long enough."}),
    "address": maybe({**TEXT, "description": "Of a wallet."}),
}
_SUMS: dict[str, Node] = {
    "balance_usd": USD,
    "held_usd": USD,
    "available_usd": USD,
    "spent_usd": USD,
    "spend_limit_usd": _USD_OR_NULL,
    "status": one_of("active", "inactive", "disabled", "invalid"),
}
ACCOUNT: Node = shape("An account.", **_HOLDER, **_SUMS)
ACCOUNTS: Node = shape(
    "A page of the accounts that were opened, by name.",
    accounts=listed(
        shape(
            "An account.",
            kind=one_of("key", "wallet"),
            account=TEXT,
            magic_key=maybe({**TEXT, "description": "The key itself, where it is one of the mock's own."}),
            address=maybe({**TEXT, "description": "Of a wallet."}),
            **_SUMS,
        )
    ),
    count=COUNT,
    limit=COUNT,
    offset=COUNT,
    has_more=FLAG,
)
LEDGER: Node = shape(
    "A page of a ledger, the newest entry first.",
    **_HOLDER,
    balance_usd=USD,
    held_usd=USD,
    entries=listed(
        shape(
            "One booking.",
            id=TEXT,
            type=one_of("CHARGE", "TOP_UP", "REFUND", "ADJUSTMENT"),
            amount_usd=USD,
            balance_after_usd=USD,
            created_at=TIME,
            request_id=_TEXT_OR_NULL,
            model_id=_TEXT_OR_NULL,
        )
    ),
    limit=COUNT,
    offset=COUNT,
    has_more=FLAG,
)
CONFIG: Node = {
    **ANY_OBJECT,
    "description": "The effective config. Settings can be sent back as they are; keys go by their accounts.",
    "required": ["edition", "behavior", "limits", "balance", "engine", "seed", "keys", "wallets", "models"],
}
RESET: Node = shape("The parts that were reset.", reset=listed(TEXT))
_ADDRESSES: dict[str, Node] = {"id": TEXT, "base_url": TEXT, "control_url": TEXT}
SESSION: Node = shape("A session.", **_ADDRESSES, config=CONFIG)
SESSIONS: Node = shape(
    "All sessions, the default one first.", sessions=listed(shape("A session.", **_ADDRESSES))
)
ENDED: Node = shape("The session that was ended.", ended=TEXT)
STATE: Node = shape(
    "A session's state, to be put back with PUT.",
    format={"const": "venice-mock-state"},
    version={"const": 1},
    mock=TEXT,
    session=TEXT,
    exported_at=TIME,
    config=ANY_OBJECT,
    clock=shape("See /__mock/clock.", frozen_at=or_null(TIME), offset_s=NUMBER),
    accounts={
        **mapped(ANY_OBJECT),
        "description": "By the account's name, which is a hash of its key, or names its wallet.",
    },
    payments=shape("Top-ups.", booked=listed(TEXT), paid_on_chain_usd=mapped(USD)),
    nonces=listed(shape("One that is used up.", owner=TEXT, nonce=TEXT, until=TIME)),
    rules=listed(ANY_OBJECT),
)
IMPORTED: Node = shape(
    "How many of each part were taken; parts that were not given are missing.", imported=mapped(COUNT)
)
RULE: Node = shape(
    "A rule, as it can be sent again.",
    id=TEXT,
    match=ANY_OBJECT,
    then=ANY_OBJECT,
    times=or_null(COUNT),
    fired=COUNT,
    last4=_TEXT_OR_NULL,
)
RULES: Node = shape("The rules in the order in which they are tried.", rules=listed(RULE), most=COUNT)
DELETED: Node = shape("The ids of the rules that were taken away.", deleted=listed(TEXT))
ENTRY: Node = {
    **ANY_OBJECT,
    "description": "One request: what was sent, understood, answered and charged. Null where it did not get so far.",
    "required": [
        "id",
        "at",
        "method",
        "path",
        "caller",
        "request",
        "status",
        "response",
        "lint",
        "curl",
        "links",
    ],
    "properties": {
        "id": TEXT,
        "request_id": {**_TEXT_OR_NULL, "description": "The client's X-Request-Id, or the one it was told."},
        "at": TIME,
        "method": TEXT,
        "path": TEXT,
        "status": or_null(COUNT),
        "model": _TEXT_OR_NULL,
        "prompt": _TEXT_OR_NULL,
        "rule": _TEXT_OR_NULL,
        "cause": _TEXT_OR_NULL,
        "fault": _TEXT_OR_NULL,
        "charged": FLAG,
        "cost_usd": _USD_OR_NULL,
        "curl": TEXT,
        "links": mapped(_TEXT_OR_NULL),
    },
}
ENTRIES: Node = shape(
    "Requests, the newest first.",
    requests=listed(ENTRY),
    count={**COUNT, "description": "How many fit the filters, beyond the limit too."},
    kept=COUNT,
    bytes=COUNT,
    limit_bytes=COUNT,
    dropped=COUNT,
    dropped_pictures=COUNT,
)
CLEARED: Node = shape("How many were forgotten.", cleared=COUNT)
VERIFIED: Node = shape(
    "Whether there were as many such requests as there should be (200), or not (409).",
    ok=FLAG,
    count=COUNT,
    requests=listed(TEXT),
    dropped=COUNT,
    expected=maybe(mapped(COUNT)),
    closest=maybe({**listed(ANY_OBJECT), "description": "What came closest, and where it differs."}),
)
VERDICT: Node = shape(
    "Whether anybody was charged twice for one logical request.",
    ok=FLAG,
    charged_more_than_once=COUNT,
    overcharged_usd=USD,
    window_s=NUMBER,
    complete={**FLAG, "description": "False when the journal had to drop requests."},
    logical_requests=listed(ANY_OBJECT),
)
LINT: Node = shape(
    "Advice to the client, the most frequent first.", advice=listed(ANY_OBJECT), requests=COUNT
)
_NAMED: Node = shape("A name and what it means.", name=TEXT, text=TEXT)
CHOICES: Node = shape(
    "What rules and edits can name.",
    models=listed(
        shape(
            "An edit model.",
            name=TEXT,
            text=TEXT,
            default=FLAG,
            aspect_ratios=listed(TEXT),
            resolutions=listed(TEXT),
        )
    ),
    errors=listed(shape("An error.", name=TEXT, text=TEXT, status=COUNT)),
    faults=listed(_NAMED),
    keys=listed(_NAMED),
)
