"""Money of baskets and orders: whole minor units, prices net, VAT added per line. Pure.

VAT is the rate of the country that the order goes to, for everybody. Reverse charge (no VAT for a company
with a VAT id of another country of the EU) is not offered: a VAT id that checks by form does not prove that
it is registered, and the operator would owe the tax. Companies reclaim it as usual.
"""

BASIS_POINTS = 10_000


def vat_minor(*, net_minor: int, vat_basis_points: int) -> int:
    """VAT of one line, rounded half up to the minor unit: once per line, never per piece or on the total."""
    return (net_minor * vat_basis_points * 2 + BASIS_POINTS) // (BASIS_POINTS * 2)
