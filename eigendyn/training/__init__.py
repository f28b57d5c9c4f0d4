"""Train nonlinear networks on real images, and set what theory foretells beside them."""
