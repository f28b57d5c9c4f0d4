"""Parse the command line, call the library, print what it returns."""
