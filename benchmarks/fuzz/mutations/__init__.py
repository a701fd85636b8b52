"""Ways to break a thing: its bytes, its values, its text, its place."""
