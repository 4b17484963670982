"""What can be wrong with an account; each message says what to do."""

from common.errors import InvalidInput


class VatIdDoesNotCheck(InvalidInput):
    """The VAT id is not one of the country, by its form or its check digits."""

    code = "vat_id_does_not_check"
