"""Say how fast modes grow, what that makes of them, and how long it takes."""
