"""What the search finds, trained to the end, beside published designs of the same price."""
