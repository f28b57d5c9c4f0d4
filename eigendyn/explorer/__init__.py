"""A loss enters; a page leaves on which its dynamics can be explored by hand, in any browser."""
