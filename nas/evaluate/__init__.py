"""What a network is worth: quality on photos and test sets, memory, images enlarged."""
