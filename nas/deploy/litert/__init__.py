"""LiteRT, formerly TensorFlow Lite: networks as .tflite files, written from the file's schema."""
