"""Record the spectrum of representations while they are trained, and judge it as it moves."""
