"""What baskets and orders refuse, and why."""

from common.errors import Conflict, InvalidInput, NotFound


class BasketExpired(Conflict):
    """The basket is too old: prices and stock may have changed."""

    code = "basket_expired"


class BasketEmpty(InvalidInput):
    """There is nothing in the basket to order."""

    code = "basket_empty"


class BasketRefused(InvalidInput):
    """A line of the basket cannot be ordered as it stands; `details` names each line."""

    code = "basket_refused"


class InvalidQuantity(InvalidInput):
    """A number of devices that cannot be ordered."""

    code = "invalid_quantity"


class UnknownCountryOfUse(InvalidInput):
    """No country has this code."""

    code = "unknown_country"


class NotSoldThere(InvalidInput):
    """Nothing is sold in the country of the basket."""

    code = "not_sold_there"


class PriceChanged(Conflict):
    """What the buyer was shown is not what it costs now; nothing was ordered."""

    code = "price_changed"


class PaymentMethodRefused(InvalidInput):
    """This order cannot be paid that way."""

    code = "payment_method_refused"


class PaymentRefused(Conflict):
    """The payment does not belong to this order as it stands; it was recorded as refused."""

    code = "payment_refused"


class OrderClosed(Conflict):
    """The order has gone too far, or is over."""

    code = "order_closed"


class NotReleased(Conflict):
    """Neither paid nor on approved terms: nothing ships yet."""

    code = "not_released"


class SerialsRefused(InvalidInput):
    """One or more serial numbers cannot be used; `details` names each. Nothing was shipped."""

    code = "serials_refused"


class UnknownOrder(NotFound):
    """No such order, or not this reader's: both answer alike."""

    code = "unknown_order"
