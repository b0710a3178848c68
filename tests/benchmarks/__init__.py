"""Benchmarks, run by hand; they are not tests."""
