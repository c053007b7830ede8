"""What a seal promises: the commitment to a protocol and a seed, and the chain of what was allocated.

Pure. The seed (32 bytes) is drawn once, when the trial is sealed, and published when it is revealed.
"""

from collections.abc import Mapping

from referrals.rules.trial.draws import (
    DOMAIN,
    Canonical,
    derived_key,
    keyed_digest,
    sha256,
)


def protocol_digest(protocol: Mapping[str, Canonical]) -> str:
    """What the protocol is known by in every key and label (64 hex digits)."""
    return sha256([DOMAIN, "protocol", protocol])


def commitment(protocol: Mapping[str, Canonical], seed: bytes) -> str:
    """What is published at the seal (64 hex digits): neither protocol nor seed can be changed unseen after.

    It tells nothing of the seed, which has 256 bits.
    """
    return sha256([DOMAIN, "commitment", protocol, seed.hex()])


def allocation_key(seed: bytes, digest: str) -> bytes:
    """The key that arms are drawn with, under the protocol of that digest."""
    return derived_key(seed, "allocation", digest)


def chain_key(seed: bytes, digest: str) -> bytes:
    """The key that rows are chained with, under the protocol of that digest."""
    return derived_key(seed, "chain", digest)


def rollout_key(seed: bytes, digest: str) -> bytes:
    """The key that the order of wards is drawn with, under the protocol of that digest.

    It gives no arm away: keys of two purposes have nothing in common without the seed.
    """
    return derived_key(seed, "rollout", digest)


def chain_hash(key: bytes, *, previous: str, row: Mapping[str, Canonical]) -> str:
    """The hash (64 hex digits) of a row that follows ``previous``, which is empty for the first.

    Whoever lacks the seed can neither change a row nor write one that fits.
    """
    return keyed_digest(key, [DOMAIN, "row", previous, row])
