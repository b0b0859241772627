"""Results as tables, charts, a page and the README's table."""
