"""Train small networks on real images, and compare them with the mode theory."""
