"""What can be wrong with a question to the catalogue; every message says what to do."""

from common.errors import DomainError, InvalidInput, NotFound


class UnknownProduct(NotFound):
    """No product of that name is for sale."""

    code = "unknown_product"


class UnknownOption(InvalidInput):
    """The product has no such choice; the message names those it has."""

    code = "unknown_option"


class UnknownCountry(InvalidInput):
    """Not a country code of ISO 3166."""

    code = "unknown_country"


class InvalidYears(InvalidInput):
    """Use is counted for one to five whole years."""

    code = "invalid_years"


class FootprintUnknown(DomainError):
    """The source does not say enough for a footprint, so no offset is offered."""

    code = "footprint_unknown"


class NotPriced(DomainError):
    """No price in this market."""

    code = "not_priced"


class BadFile(InvalidInput):
    """The file cannot be read as what it should be; nothing was stored. `details` names the rows."""

    code = "bad_file"


class SheetRefused(InvalidInput):
    """A sheet typed by staff cannot be stored; the message says why."""

    code = "sheet_refused"
