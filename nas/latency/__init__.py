"""A model of one device's latency, layer by layer: fitted once, asked without measuring."""
