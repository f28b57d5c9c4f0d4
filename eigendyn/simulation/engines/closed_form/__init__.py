"""Solve in closed form what has one."""
