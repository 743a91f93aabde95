"""Wallets: what the x402 answers say."""
