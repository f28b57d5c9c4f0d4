"""Derive one result per runnable page, from the loss, and compare it with the hand form."""
