"""Draw this project's counterparts of the paper's deep-network figures, trained on digits."""
