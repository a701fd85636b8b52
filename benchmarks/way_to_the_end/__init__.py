"""What pays when a network is trained to the end."""
