"""Kinds of events of projects: constants that can be grepped from a log line."""

PROJECT_PAUSED = "project.paused"
PROJECT_RESUMED = "project.resumed"
