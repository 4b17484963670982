"""What can be wrong with a project; each message says what to do."""

from common.errors import InvalidInput, NotFound


class UnknownProject(NotFound):
    """No project has this reference."""

    code = "unknown_project"


class NotSold(NotFound):
    """The project has no price in this market, is paused, or its registry closes: choose another."""

    code = "project_not_sold"


class BadProjectFile(InvalidInput):
    """A file of projects does not hold; `details` names each error with its place. Nothing was written."""

    code = "bad_project_file"


class UnreadableIssuances(InvalidInput):
    """A report of issuances, or a row of it, does not read; the message names it. Nothing was written."""

    code = "unreadable_issuances"
