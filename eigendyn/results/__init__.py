"""Hold labelled results, say what became of every mode, and keep results in files."""
