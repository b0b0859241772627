"""HTML pages and their charts: templates, one style for light and dark screens, and SVG with tooltips."""
