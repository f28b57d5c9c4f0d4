"""One runnable page per result: derived from the loss, compared with the hand form, in LaTeX."""
