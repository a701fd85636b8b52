"""What a network is worth: training, quality, latency, memory."""
