"""Show results: words, plots, pages, notebooks and the figures of the paper."""
