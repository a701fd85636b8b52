"""Latency by any command that takes a network's file and prints milliseconds."""
