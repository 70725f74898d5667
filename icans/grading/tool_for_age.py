"""Which tool grades a patient at what age: ICE, CAPD, or both where the age is not sure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from icans.record import Birth


@dataclass(frozen=True, slots=True)
class Tools:
    """Which tool grades this patient at this age: ICE, CAPD or, where the age is not sure, both."""

    ice: bool
    capd: bool
    age_unknown: bool = False
    age_imprecise: bool = False


@lru_cache(maxsize=4096)
def tools_at(
    birth: Birth | None, day: date, delay: bool, ice_ever_complete: bool, capd_below: int, delay_below: int
) -> Tools:
    """ICE from 12 years, CAPD under 12 and, with developmental delay and no complete ICE ever, under 21
    (ASCO 2021, Santomasso et al., J Clin Oncol 39:3978)."""
    if birth is None:
        return Tools(ice=True, capd=True, age_unknown=True)
    oldest, youngest = _years(birth.earliest, day), _years(birth.latest, day)
    if oldest < capd_below:
        return Tools(ice=False, capd=True)
    if youngest < capd_below:
        return Tools(ice=True, capd=True, age_imprecise=True)
    if delay and youngest < delay_below and not ice_ever_complete:
        return Tools(ice=False, capd=True)
    return Tools(ice=True, capd=False)


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
