"""Staff's view of the catalogue. Sheets and factors are added, never changed."""

# Django's admin classes take no type parameters at run time.
# mypy: disable-error-code="type-arg"

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import admin
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog import selectors, services
from catalog.importing.formats import OWN
from catalog.models import GridFactor, Option, OptionPrice, PcfSheet, Product, ProductPrice
from common.errors import DomainError
from common.printed import PrintedFieldsForm, require_comparable

PICTURE_SUFFIXES = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg"), "WEBP": (".webp",)}
PICTURE_BYTES = 2_000_000
SHEET_FIELDS = tuple(name for name in OWN.columns if name != "statistic")


class AddOnlyAdmin(admin.ModelAdmin):
    """Rows can be looked at and added; the database refuses anything else."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SheetForm(PrintedFieldsForm):
    """A sheet as printed. What it cannot be is what an import would reject, by the same code."""

    printed = ("source", "licence")

    after = forms.ModelChoiceField(
        PcfSheet.objects.all(),
        required=False,
        label=_("new version of"),
        help_text=_("Number of the sheet that this one corrects or replaces; empty for a new sheet."),
        widget=forms.NumberInput,
    )

    class Meta:
        model = PcfSheet
        fields = (*SHEET_FIELDS, "statistic")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            cells = {name: "" if cleaned.get(name) is None else str(cleaned[name]) for name in OWN.columns}
            try:
                self.instance = services.prepare_sheet(cells=cells, after=cleaned["after"])
            except DomainError as error:
                raise forms.ValidationError(error.message) from error
        return cleaned

    def _post_clean(self) -> None:
        """The instance was made in `clean`; the form's own would lack lineage, version and findings."""


class OfferFilter(admin.SimpleListFilter):
    title = _("offset")
    parameter_name = "offered"
    sheet_path = ""

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("yes", _("can be offered")), ("no", _("sheet says too little"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        path = self.sheet_path
        complete = Q(**{f"{path}use_kg__isnull": False, f"{path}lifetime_years__isnull": False})
        return {"yes": queryset.filter(complete), "no": queryset.exclude(complete)}.get(
            self.value() or "", queryset
        )


class ProductOfferFilter(OfferFilter):
    sheet_path = "sheet__"


class NewestFilter(admin.SimpleListFilter):
    title = _("version")
    parameter_name = "newest"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("yes", _("newest")), ("no", _("superseded"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() in ("yes", "no"):
            return queryset.filter(next__isnull=self.value() == "yes")
        return queryset


@admin.register(PcfSheet)
class PcfSheetAdmin(AddOnlyAdmin):
    form = SheetForm
    list_display = (
        "id",
        "manufacturer",
        "name",
        "version",
        "report_date",
        "statistic",
        "total_kg",
        "use_kg",
        "lifetime_years",
        "can_be_offered",
        "findings",
    )
    list_display_links = ("id", "name")
    list_filter = (OfferFilter, NewestFilter, "statistic", "manufacturer", "subcategory", "report_year")
    search_fields = ("name", "manufacturer", "lineage", "source", "configuration")
    list_per_page = 50

    def get_fields(self, request: HttpRequest, obj: PcfSheet | None = None) -> Any:
        if obj is None:
            return (*SHEET_FIELDS, "statistic", "after")
        return [field.name for field in PcfSheet._meta.concrete_fields]

    def save_model(self, request: HttpRequest, obj: PcfSheet, form: ModelForm, change: bool) -> None:
        services.store_sheet(obj)

    @admin.display(boolean=True, description=_("can be offered"))
    def can_be_offered(self, sheet: PcfSheet) -> bool:
        return selectors.is_complete(sheet)

    @admin.display(description=_("findings"))
    def findings(self, sheet: PcfSheet) -> str:
        return ", ".join(sheet.flags)


@admin.register(GridFactor)
class GridFactorAdmin(AddOnlyAdmin):
    list_display = ("name", "country", "year", "kg_co2e_per_kwh", "source")
    list_filter = ("year", ("region", admin.EmptyFieldListFilter))
    search_fields = ("name", "country")


class ProductPriceInline(admin.TabularInline):
    model = ProductPrice
    extra = 0


class OptionForm(PrintedFieldsForm):
    """Its label stands in a device's configuration."""

    printed = ("label",)


class OptionInline(admin.TabularInline):
    model = Option
    form = OptionForm
    extra = 0
    show_change_link = True


class ProductForm(PrintedFieldsForm):
    """A picture is a photograph or a drawing in dots: an SVG could carry a script, so none is taken."""

    printed = ("manufacturer", "name")

    def clean_manufacturer(self) -> str:
        maker: str = self.cleaned_data["manufacturer"]
        require_comparable(maker)
        return maker

    def clean_picture(self) -> Any:
        picture = self.cleaned_data["picture"]
        if not isinstance(picture, UploadedFile):
            return picture
        kind = picture.image.format  # type: ignore[attr-defined]  # forms.ImageField has opened it
        if Path(str(picture.name)).suffix.lower() not in PICTURE_SUFFIXES.get(kind, ()):
            raise forms.ValidationError(_("Take a PNG, JPEG or WebP file whose name ends accordingly."))
        if (picture.size or 0) > PICTURE_BYTES:
            raise forms.ValidationError(
                _("The picture has more than 2 MB. Make it smaller: 1,200 px are enough.")
            )
        return picture


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    form = ProductForm
    inlines = (ProductPriceInline, OptionInline)
    list_display = (
        "name",
        "manufacturer",
        "sku",
        "form_factor",
        "footprint",
        "stock_units",
        "published",
        "position",
    )
    list_editable = ("stock_units", "published", "position")
    list_filter = (ProductOfferFilter, "published", "form_factor", "manufacturer", "series")
    list_select_related = ("sheet",)
    search_fields = ("name", "sku", "manufacturer", "series")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012 Django reads it, nobody changes it
    autocomplete_fields = ("sheet",)
    save_on_top = True

    @admin.display(description=_("footprint"))
    def footprint(self, product: Product) -> str:
        total = selectors.stated_total_kg(product)
        stated = f"{total:.0f} kg" if total is not None else ""
        return " · ".join(part for part in (stated, selectors.why_unknown(product)) if part)


class OptionPriceInline(admin.TabularInline):
    model = OptionPrice
    extra = 0


@admin.register(Option)
class OptionAdmin(admin.ModelAdmin):
    form = OptionForm
    inlines = (OptionPriceInline,)
    list_display = ("label", "product", "kind", "value", "gigabytes", "is_default")
    list_filter = ("kind", "is_default", "product__form_factor")
    list_select_related = ("product",)
    search_fields = ("label", "value", "product__name", "product__sku")
    autocomplete_fields = ("product",)
