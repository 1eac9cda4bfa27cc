"""The Python API: what `import sfmap` gives, in threads, notebooks and tests."""
