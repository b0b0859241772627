"""Rendering of results: tables, charts, the page and the README's table."""
