"""Follow the weights of a linear encoder under Euclidean losses, for inputs of any distribution."""
