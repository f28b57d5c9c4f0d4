"""Write the pages of the documentation that follow from code, and turn its LaTeX into MathML."""
