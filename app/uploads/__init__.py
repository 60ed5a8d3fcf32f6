"""Pictures: taken, made small, kept and shown."""
