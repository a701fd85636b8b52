"""Full training of one network: phases, checkpoints, validation, several processes."""
