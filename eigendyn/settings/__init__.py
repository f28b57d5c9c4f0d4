"""Say what is asked for, and check it: names, numbers, presets, starts, devices."""
