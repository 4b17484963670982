"""How money comes in. Each adapter translates a provider's words into `Notice`; `checkout.services` acts on
it.
"""
