"""Train real networks by gradient descent, independently of the symbolic side.

Losses are written afresh and differentiated automatically; nothing here imports `losses` or
`derive`, so that both sides of a comparison cannot be wrong together.
"""
