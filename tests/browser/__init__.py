"""Tests in a real browser. A package, so that its shop and its browser end with its last test."""
