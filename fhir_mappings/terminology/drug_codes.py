"""National Drug Codes in the forms in which systems send them.

An NDC has three segments, labeler-product-package, of 4-4-2, 5-3-2 or 5-4-1 digits (21 CFR 207.33); billing
pads them to 5-4-2, with or without hyphens. The package does not change the drug, so codes are compared by
labeler and product; ten digits without hyphens say nothing about their segments and only match a listed code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fhir_mappings.terminology.drug_names import DrugName

_HYPHENS = re.compile(r"(\d{4,5})-(\d{3,4})(?:-(\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class NationalDrugCodes:
    """Listed codes by labeler and product (nine digits, 5-4) and as their ten digits without hyphens."""

    products: Mapping[str, DrugName]
    ten_digits: Mapping[str, DrugName]

    @classmethod
    def of(cls, listed: Mapping[str, DrugName]) -> NationalDrugCodes:
        products = {product: name for code, name in listed.items() if (product := _product(code)) is not None}
        plain = {code.replace("-", ""): name for code, name in listed.items()}
        return cls(products, {code: name for code, name in plain.items() if len(code) == 10})

    def find(self, code: str) -> DrugName | None:
        """The drug of a code, None if its product is not listed or the form is none of an NDC."""
        product = _product(code)
        if product is not None:
            return self.products.get(product)
        if code.isascii() and code.isdigit():
            return self.products.get(code[:9]) if len(code) == 11 else self.ten_digits.get(code)
        return None


def _product(code: str) -> str | None:
    found = _HYPHENS.fullmatch(code)
    return None if found is None else found[1].zfill(5) + found[2].zfill(4)
