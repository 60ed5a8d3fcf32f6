"""What is deployed: a minimal Django site that takes photos."""
