"""Measurements, side by side in one run; figures of different runs or machines are not compared."""
