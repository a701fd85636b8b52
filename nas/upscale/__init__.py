"""A trained network put to use on image files of any size."""
