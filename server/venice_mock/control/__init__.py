"""The control plane under /__mock: what a test author does to the mock. The vendor's API never imports it."""
