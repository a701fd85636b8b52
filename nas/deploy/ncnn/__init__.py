"""ncnn: networks as .param and .bin files by a writer of our own, and what runs them."""
