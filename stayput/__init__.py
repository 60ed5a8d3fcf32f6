"""Stayput: uploads that stay put."""
