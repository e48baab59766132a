"""How fast the fake is. `python -m benchmarks` measures all of it and writes docs/performance.md."""
