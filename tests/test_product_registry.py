"""``xr_icesat2.products``: one line a product, and names in any spelling."""

import pytest

from xr_icesat2 import products
from xr_icesat2.errors import ProductNotFoundError


def test_registry_prints_one_line_per_product():
    title, *lines = repr(products).splitlines()
    assert "products" in title
    for (name, spec), line in zip(products.items(), lines, strict=False):
        for reported in (name, spec.title, *spec.releases[:1], *spec.releases[-1:], "rates: "):
            assert reported in line
        rates = {"none": "by the file's dimension scales"}.get(spec.completeness, spec.completeness)
        assert line.endswith(f"rates: {rates}")
    assert len(lines) <= len(products) + 2
    assert products._repr_html_().count("<tr>") == len(products)


@pytest.mark.parametrize("spelling", ["ATL06", "atl06", "Atl06", " ATL06 ", "ATL-06", "atl_06"])
def test_product_names_ignore_case_and_padding(spelling):
    assert products[spelling].product == "ATL06"
    assert spelling in products
    assert products.get(spelling) is products["ATL06"]


@pytest.mark.parametrize("near", ["ATL6", "atl6", "ALT06", 6, "6"])
def test_misspelled_product_gets_a_suggestion(near):
    with pytest.raises(ProductNotFoundError, match=r"Did you mean 'ATL06'\?") as caught:
        products[near]
    assert repr(near) in str(caught.value)
    assert near not in products


@pytest.mark.parametrize("other", ["ATL05", "ATL99", "ATL6000", "", "land ice", None])
def test_unknown_products_raise_with_the_known_ones(other):
    assert products.get(other) is None
    with pytest.raises(KeyError):
        products[other]
    with pytest.raises(
        ProductNotFoundError, match=r"The products are ATL02, ATL03, .* ATL24\."
    ) as caught:
        products[other]
    assert "Did you mean" not in str(caught.value)


def test_registry_is_read_only():
    with pytest.raises(TypeError):
        products["ATL06"] = products["ATL03"]
