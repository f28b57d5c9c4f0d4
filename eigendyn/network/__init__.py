"""Gradient descent on a real network, independent of the symbolic side.

Losses are written afresh and differentiated automatically; nothing here imports `losses` or
`derive`, so that both sides of a comparison cannot be wrong together.
"""
