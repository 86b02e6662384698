"""What is kept: the contract, the backends, checks."""
