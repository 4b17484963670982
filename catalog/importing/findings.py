"""The words of the import report, as they stand in its `reasons` and in a sheet's `flags`.

docs/importing.md explains each. They are stable: files elsewhere are filtered by them.
"""

ACCEPTED = "accepted"  # a five-year total follows from total, use and lifetime
INCOMPLETE = "incomplete"  # kept, not offered
REJECTED = "rejected"  # nothing stored

# Why a row is rejected.
NO_NAME = "no_name"
NO_TOTAL = "no_total"
TOTAL_NOT_A_NUMBER = "total_not_a_number"
TOTAL_NOT_POSITIVE = "total_not_positive"
TOTAL_TOO_LARGE = "total_too_large"
RATIO_OUT_OF_RANGE = "{}_ratio_out_of_range"  # use, manufacturing, transport, eol
TOO_MANY_CELLS = "too_many_cells"
NAME_TOO_LONG = "name_too_long"

# Why a row is incomplete.
NO_USE_RATIO = "no_use_ratio"
NO_LIFETIME = "no_lifetime"

# Findings that change nothing in the verdict.
NOT_A_NUMBER = "{}_not_a_number"  # the cell is taken as not stated
OUT_OF_RANGE = "{}_out_of_range"  # the cell is taken as not stated
NO_MANUFACTURER = "no_manufacturer"
NO_SOURCE = "no_source"
NO_REPORT_DATE = "no_report_date"
REPORT_DATE_NOT_UNDERSTOOD = "report_date_not_understood"
NO_USE_LOCATION = "no_use_location"
USE_LOCATION_NOT_UNDERSTOOD = "use_location_not_understood"
STATISTIC_NOT_UNDERSTOOD = "statistic_not_understood"
ERROR_RATIO_OUT_OF_RANGE = "error_ratio_out_of_range"  # kept as printed
ERROR_RATIO_ZERO = "error_ratio_zero"  # kept; read as not worked out
ZERO_MEANS_UNKNOWN = "zero_means_unknown"
DOES_NOT_ADD_UP = "stages_do_not_add_up"  # the split is stored and never drawn
USE_MORE_THAN_ELECTRICITY = "use_more_than_electricity"
WEIGHT_IMPLAUSIBLE = "weight_implausible"  # not stored
SCREEN_IMPLAUSIBLE = "screen_implausible"  # not stored
SCREEN_DIFFERS_FROM_NAME = "screen_differs_from_name"
SEVERAL_MODELS = "several_models"
NAME_ESCAPES_DECODED = "name_escapes_decoded"
NAME_HAS_UNDERSCORE = "name_has_underscore"
TEXT_CUT = "{}_cut"
SAME_FIGURES_AS_ROW = "same_figures_as_row_{}"
REPEATS_ROW = "repeats_row_{}"
OTHER_FIGURES_THAN_ROW = "other_figures_than_row_{}"
