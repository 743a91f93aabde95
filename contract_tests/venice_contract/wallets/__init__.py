"""The suite's own wallets: everything that a client does to sign in and to pay, written from the specifications.

Nothing of the mock is used here, so that the two can only agree by both being right. Time (Unix seconds) and
randomness are always passed in. Cryptographic libraries are loaded when something is signed, not before.
"""

from venice_contract.wallets.envelope import ABSENT, base64_json, iso, read_base64_json
from venice_contract.wallets.keys import Kind, Wallet, make_wallet, sign_bytes, sign_digest, sign_text
from venice_contract.wallets.payment import Payment, TokenDomain, authorization_digest, good_payment
from venice_contract.wallets.shapes import SHAPES, Shape, choose_offer
from venice_contract.wallets.signatures import SignatureForm, flip_bit, write_signature
from venice_contract.wallets.signin import SignIn, challenge_sign_in, good_sign_in
from venice_contract.wallets.solana_payment import Layout, SolanaPayment, good_solana_payment, token_account

__all__ = [
    "ABSENT",
    "SHAPES",
    "Kind",
    "Layout",
    "Payment",
    "Shape",
    "SignIn",
    "SignatureForm",
    "SolanaPayment",
    "TokenDomain",
    "Wallet",
    "authorization_digest",
    "base64_json",
    "challenge_sign_in",
    "choose_offer",
    "flip_bit",
    "good_payment",
    "good_sign_in",
    "good_solana_payment",
    "iso",
    "make_wallet",
    "read_base64_json",
    "sign_bytes",
    "sign_digest",
    "sign_text",
    "token_account",
    "write_signature",
]
