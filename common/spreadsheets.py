"""What a spreadsheet would take for a formula is written so that it is read as text."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def quoted_cell(text: str) -> str:
    """The text behind an apostrophe if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text
