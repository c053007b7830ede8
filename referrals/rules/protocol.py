"""The protocol of a trial as a document that can be hashed: what its seal binds. Pure."""

from collections.abc import Mapping
from typing import Any

from referrals.rules.allocation import Arm, Design, Factor, Scheme
from referrals.rules.draws import DOMAIN, Canonical

Protocol = Mapping[str, Canonical]


def protocol_of(*, name: str, bcu: str, design: Design, stratified_by: str = "") -> dict[str, Canonical]:
    """The document: the trial's name, the BCU's code, the arms, and how units fall to them.

    ``stratified_by`` names what of a case is its stratum.
    """
    return {
        "format": DOMAIN,
        "name": name,
        "bcu": bcu,
        "arms": [arm.value for arm in Arm],
        "stratified_by": stratified_by,
        "allocation": {
            "scheme": design.scheme.value,
            "target": design.target,
            "ratio": list(design.ratio),
            "block_sizes": list(design.block_sizes),
            "strata": list(design.strata),
            "factors": [
                {"name": factor.name, "levels": list(factor.levels), "weight": factor.weight}
                for factor in design.factors
            ],
            "coin": design.coin,
        },
    }


def design_of(protocol: Protocol) -> Design:
    """How units fall to arms; raises :class:`~referrals.rules.allocation.ImpossibleDesign`."""
    part = protocol["allocation"]
    assert isinstance(part, Mapping)
    given: dict[str, Any] = dict(part)
    src, control = given["ratio"]
    return Design(
        scheme=Scheme(given["scheme"]),
        target=given["target"],
        ratio=(src, control),
        block_sizes=tuple(given["block_sizes"]),
        strata=tuple(given["strata"]),
        factors=tuple(
            Factor(factor["name"], tuple(factor["levels"]), factor["weight"]) for factor in given["factors"]
        ),
        coin=given["coin"],
    )
