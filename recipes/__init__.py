"""What made the demo checkpoint and the demo collection; not imported by the application."""
