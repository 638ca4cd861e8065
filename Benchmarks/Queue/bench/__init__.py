"""Benchmarks of the queue: ours beside real huey, in the same run, alternating."""
