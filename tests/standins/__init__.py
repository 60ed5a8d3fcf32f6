"""Providers as real HTTP servers with state, that start the site they are given. Judged by the official contracts."""
