"""Harness: rows, a process for each, timing and its rules, results, and packs for boards."""
