"""Pictures of products that staff upload: what is taken, and what is served."""

from io import BytesIO
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import User
from catalog.admin import PICTURE_BYTES
from catalog.models import Product
from projects.models import Project
from tests.factories.checkout import LAPTOP, make_shop
from tests.storefront.pages import text, words

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def wind(db: None) -> Project:
    return make_shop()


def picture(kind: str = "PNG", name: str = "t490.png", size: int = 4) -> SimpleUploadedFile:
    file = BytesIO()
    Image.effect_noise((size, size), 90).convert("RGB").save(file, kind)
    return SimpleUploadedFile(name, file.getvalue(), content_type="image/png")


@pytest.fixture
def pictured(wind: Project) -> Product:
    """The laptop, with a picture of its own."""
    product = Product.objects.get(sku=LAPTOP)
    product.picture.save("t490.png", picture())
    return product


def upload(client: Client, admin: User, file: SimpleUploadedFile) -> str:
    """Staff change the laptop's picture in the admin; the page's text."""
    client.force_login(admin)
    product = Product.objects.get(sku=LAPTOP)
    path = f"/admin/catalog/product/{product.pk}/change/"
    form = client.get(path).context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None and name != "picture"}
    for prefix in ("prices", "options"):
        data |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return words(client.post(path, {**data, "picture": file}, follow=True))


def test_an_uploaded_picture_takes_the_drawings_place(client: Client, pictured: Product) -> None:
    for path in ("/products/laptop-1/", "/products/?q=laptop-1"):
        assert f'src="/media/{pictured.picture.name}"' in text(client.get(path))
    answer = client.get(f"/media/{pictured.picture.name}")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert b"".join(answer).startswith(b"\x89PNG")  # type: ignore[call-overload]


def test_nothing_else_in_the_store_is_served(client: Client, pictured: Product) -> None:
    certificates = Path(default_storage.path("certificates"))
    certificates.mkdir(parents=True, exist_ok=True)
    (certificates / "secret.png").write_bytes(b"x")
    Path(default_storage.path("products/other.png")).write_bytes(b"x")
    Path(default_storage.path("products/evil.svg")).write_bytes(SVG)
    for path in (
        "certificates/secret.png",
        "products/../certificates/secret.png",
        "products/..%2Fcertificates%2Fsecret.png",
        "products/other.png",  # no product shows it
        "products/evil.svg",
        "products/",
        "products/%00.png",
        "products/..png",
        "",
    ):
        assert client.get(f"/media/{path}").status_code == 404, path


def test_a_picture_whose_file_is_gone_is_not_found(client: Client, pictured: Product) -> None:
    default_storage.delete(pictured.picture.name)
    assert client.get(f"/media/{pictured.picture.name}").status_code == 404


@pytest.mark.parametrize(("kind", "name"), [("PNG", "a.png"), ("JPEG", "a.jpg"), ("WEBP", "a.webp")])
def test_staff_upload_pictures_in_dots(
    client: Client, wind: Project, admin_user: User, kind: str, name: str
) -> None:
    page = upload(client, admin_user, picture(kind, name))
    assert "was changed successfully" in page
    stored = Product.objects.get(sku=LAPTOP).picture
    assert client.get(stored.url).status_code == 200


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (SimpleUploadedFile("a.svg", SVG), "Upload a valid image."),
        (SimpleUploadedFile("a.png", SVG), "Upload a valid image."),
        (picture("GIF", "a.gif"), "Take a PNG, JPEG or WebP file"),
        (picture("GIF", "a.png"), "Take a PNG, JPEG or WebP file"),
        (picture("PNG", "a.jpg"), "Take a PNG, JPEG or WebP file"),
        (picture("PNG", "a.png", size=1800), "The picture has more than 2 MB."),
    ],
    ids=["svg", "svg named png", "gif", "gif named png", "png named jpg", "large"],
)
def test_anything_else_is_refused_with_the_reason(
    client: Client, wind: Project, admin_user: User, file: SimpleUploadedFile, message: str
) -> None:
    page = upload(client, admin_user, file)
    assert "was changed successfully" not in page
    assert message in page
    assert not Product.objects.get(sku=LAPTOP).picture


def test_the_limit_is_two_megabytes() -> None:
    assert PICTURE_BYTES == 2_000_000
