"""Whatever is changed is found, and named by the number of the allocation it first shows in."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from referrals.rules.trial import seal
from referrals.standalone import trial_verify
from tests.referrals.standalone.bundles import (
    DESIGNS,
    OTHER_SEED,
    Bundle,
    Row,
    before_reveal,
    bundle_of,
    chained,
    changed,
    digest,
    following,
    heads_of,
    other_arm,
    rechained,
    row,
    trial,
    units,
)
from tests.referrals.standalone.runs import verify

SCHEMES = pytest.mark.parametrize("scheme", DESIGNS)


def rows_of(bundle: Bundle) -> list[Row]:
    return deepcopy(bundle["allocations"])


def problem(directory: Path, bundle: Bundle, *heads: Any) -> str:
    return str(verify(directory, bundle, *heads).report["problem"])


@SCHEMES
def test_a_whole_trial_is_verified_and_what_cannot_be_excluded_is_said(scheme: str, tmp_path: Path) -> None:
    bundle = trial(scheme)
    run = verify(tmp_path, bundle)
    assert (run.status, run.error) == (0, "")
    assert run.report == {
        "result": "verified",
        "allocation": None,
        "problem": None,
        "checked": {"allocations": 40, "arms": 38, "followers": 2, "heads": 0, "head_files": 0},
        "not_excluded": [
            *trial_verify.WITHOUT_HEADS,
            (
                "Compare the commitment with the one published when the trial was sealed: "
                f"{bundle['commitment']}."
            ),
            trial_verify.NO_BUNDLE_SHOWS,
        ],
    }


def test_a_trial_without_an_allocation_is_verified_with_and_without_its_first_head(tmp_path: Path) -> None:
    bundle = bundle_of(DESIGNS["simple"], [])
    assert verify(tmp_path, bundle).found == (0, None)
    assert verify(tmp_path, bundle, heads_of(bundle, 0)).found == (0, None)


# --- One row is changed, and its hash left ---


@SCHEMES
@pytest.mark.parametrize("number", [1, 17, 40])
def test_another_arm_is_named_with_the_one_that_the_seed_gives(
    scheme: str, number: int, tmp_path: Path
) -> None:
    bundle = trial(scheme)
    arm = bundle["allocations"][number - 1]["arm"]
    run = verify(tmp_path, changed(bundle, number, arm=other_arm(arm)))
    assert run.found == (1, number)
    assert run.report["problem"] == (
        f"Allocation {number} is {other_arm(arm)}, but protocol and seed give its position {arm}."
    )


@SCHEMES
@pytest.mark.parametrize("field", ["case", "moment"])
def test_another_case_or_time_does_not_give_the_hash(scheme: str, field: str, tmp_path: Path) -> None:
    bundle = changed(trial(scheme), 17, **{field: digest("another")})
    assert verify(tmp_path, bundle).found == (1, 17)
    assert "its content gives" in problem(tmp_path, bundle)


def test_another_unit_does_not_give_the_hash(tmp_path: Path) -> None:
    assert verify(tmp_path, changed(trial("blocks"), 17, unit=digest("another")[:32])).found == (1, 17)


def test_a_level_that_minimisation_does_not_know_is_named(tmp_path: Path) -> None:
    levels = {"repeat_victim": "no", "strand": "d"}
    assert 'of "strand"' in problem(tmp_path, changed(trial("minimisation"), 17, levels=levels))


@pytest.mark.parametrize("number", range(2, 34))
def test_another_level_is_found_at_its_row_whether_it_changes_the_arm_or_not(
    number: int, tmp_path: Path
) -> None:
    bundle = trial("minimisation")
    levels = dict(bundle["allocations"][number - 1]["levels"])
    levels["strand"] = "b" if levels["strand"] == "a" else "a"
    assert verify(tmp_path, changed(bundle, number, levels=levels)).found == (1, number)


def test_the_level_of_a_trial_that_does_not_use_it_is_chained_too(tmp_path: Path) -> None:
    assert verify(tmp_path, changed(trial("blocks"), 17, levels={"repeat_victim": "no"})).found == (1, 17)


@SCHEMES
def test_another_hash_is_found_where_it_stands(scheme: str, tmp_path: Path) -> None:
    assert verify(tmp_path, changed(trial(scheme), 17, hash=digest("x"))).found == (1, 17)
    assert verify(tmp_path, changed(trial(scheme), 17, hash="")).found == (1, 17)
    assert verify(tmp_path, changed(trial(scheme), 17, previous=digest("x"))).found == (1, 17)
    assert verify(tmp_path, changed(trial(scheme), 1, previous=digest("x"))).found == (1, 1)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"unit": "A" * 32}, "no unit of 32"),
        ({"case": "0" * 63}, "no case of 64"),
        ({"moment": ""}, "no moment of 64"),
        ({"arm": "SRC"}, 'has not, "SRC"'),
        ({"position": None}, "either have a position or follow"),
        ({"follows": 1}, "either have a position or follow"),
        ({"stratum": "Barnet"}, 'has not, "Barnet"'),
    ],
)
def test_what_no_allocation_has_is_named_even_if_whoever_wrote_it_held_the_seed(
    fields: dict[str, Any], words: str, tmp_path: Path
) -> None:
    bundle = trial("stratified_blocks")
    forged = rechained(bundle, rows_of(changed(bundle, 17, **fields)))
    assert verify(tmp_path, forged).found == (1, 17)
    assert words in problem(tmp_path, forged)


# --- Rows are removed, added or exchanged ---


@SCHEMES
@pytest.mark.parametrize("number", [1, 17])
def test_a_row_deleted_before_the_end_is_named_as_missing(scheme: str, number: int, tmp_path: Path) -> None:
    bundle = trial(scheme)
    del bundle["allocations"][number - 1]
    assert verify(tmp_path, bundle).found == (1, number)
    assert problem(tmp_path, bundle).startswith(f"Allocation {number} is missing")


def test_a_row_deleted_and_the_rest_numbered_anew_is_found_by_the_link(tmp_path: Path) -> None:
    bundle = trial("simple")
    del bundle["allocations"][16]
    for number, each in enumerate(bundle["allocations"], start=1):
        each["number"] = number
    assert verify(tmp_path, bundle).found == (1, 17)
    assert "the hash of the one before it" in problem(tmp_path, bundle)


@SCHEMES
def test_a_deleted_end_is_found_with_heads_and_only_with_heads(scheme: str, tmp_path: Path) -> None:
    whole = trial(scheme)
    cut = whole | {"allocations": whole["allocations"][:35]}
    assert verify(tmp_path, cut).found == (0, None)
    assert verify(tmp_path, cut, heads_of(whole, 20)).found == (0, None)
    assert verify(tmp_path, cut, heads_of(whole, 20), heads_of(whole, 36, 38)).found == (1, 36)
    assert problem(tmp_path, cut, heads_of(whole, 20, 38)) == (
        "Allocation 36 is missing: the head received on 2026-11-02 counts 38, and there are 35."
    )


@SCHEMES
def test_rows_exchanged_without_the_seed_are_found_at_the_first_of_them(scheme: str, tmp_path: Path) -> None:
    bundle = exchanged(trial(scheme), 10, 20)
    forged = rechained(bundle, bundle["allocations"], seed=OTHER_SEED)
    # The key of another seed fits no row, so the first is named.
    assert verify(tmp_path, forged).found == (1, 1)
    kept = bundle["allocations"][:9] + rows_of(forged)[9:]
    kept[9]["previous"] = kept[8]["hash"]
    assert verify(tmp_path, bundle | {"allocations": kept}).found == (1, 10)


@pytest.mark.parametrize("scheme", ["simple", "complete", "blocks", "stratified_blocks"])
def test_units_exchanged_with_the_seed_are_found_by_heads_alone(scheme: str, tmp_path: Path) -> None:
    """Who got which position is what only the heads bind: the arms of the positions are as they were."""
    whole = trial(scheme)
    forged = rechained(whole, exchanged(whole, 10, 20)["allocations"])
    assert verify(tmp_path, forged).found == (0, None)
    assert verify(tmp_path, forged, heads_of(whole, 9)).found == (0, None)
    assert verify(tmp_path, forged, heads_of(whole, 9, 12, 40)).found == (1, 12)
    assert "it or one after allocation 9 was changed" in problem(tmp_path, forged, heads_of(whole, 9, 12, 40))


def test_units_exchanged_with_the_seed_in_a_minimised_trial_are_found_by_their_arms(tmp_path: Path) -> None:
    whole = trial("minimisation")
    found = {
        verify(tmp_path, rechained(whole, exchanged(whole, 10, other, "levels")["allocations"])).status
        for other in range(11, 20)
    }
    assert 1 in found


def test_whole_rows_exchanged_with_the_seed_have_positions_out_of_order(tmp_path: Path) -> None:
    whole = trial("blocks")
    rows = rows_of(whole)
    rows[9], rows[19] = rows[19], rows[9]
    forged = rechained(whole, rows)
    assert verify(tmp_path, forged).found == (1, 10)
    assert problem(tmp_path, forged) == (
        'Allocation 10 has position 20 of stratum "", where 10 is due: one is missing.'
    )


def exchanged(bundle: Bundle, one: int, other: int, *also: str) -> Bundle:
    """The units of two rows change places, and are chained as before."""
    copy = deepcopy(bundle)
    first, second = copy["allocations"][one - 1], copy["allocations"][other - 1]
    for name in ("unit", "case", "moment", *also):
        first[name], second[name] = second[name], first[name]
    return copy


@SCHEMES
def test_a_row_added_without_the_seed_is_named(scheme: str, tmp_path: Path) -> None:
    bundle = bundle_of(DESIGNS[scheme], units(DESIGNS[scheme], 30))
    *_, next_row = units(DESIGNS[scheme], 31)
    *_, added = chained([*bundle["allocations"], next_row], bundle["protocol"], seed=OTHER_SEED)
    added["previous"] = bundle["allocations"][-1]["hash"]
    forged = bundle | {"allocations": [*bundle["allocations"], added]}
    assert verify(tmp_path, forged).found == (1, 31)
    assert "without the seed" in problem(tmp_path, forged)


def test_a_row_put_in_between_is_named_even_with_the_seed(tmp_path: Path) -> None:
    bundle = trial("blocks")
    rows = rows_of(bundle)
    rows.insert(9, row(10, position=10, arm=rows[9]["arm"], unit=digest("new")[:32], case=digest("new")))
    assert verify(tmp_path, rechained(bundle, rows)).found == (1, 11)
    assert "where 11 is due: one is doubled" in problem(tmp_path, rechained(bundle, rows))


@SCHEMES
def test_more_units_than_the_target_are_named_at_the_first_of_them(scheme: str, tmp_path: Path) -> None:
    design = DESIGNS[scheme]
    rows = units(design, 60)
    if scheme == "complete":
        rows.append(row(61, position=61, arm="src"))
    else:
        rows = units(design, 61)
    bundle = bundle_of(design, rows)
    assert verify(tmp_path, bundle).found == (1, 61)
    assert "after the last one of the protocol: its target of 60 is reached" in problem(tmp_path, bundle)


# --- Written with the seed ---


@pytest.mark.parametrize(("position", "words"), [(16, "doubled"), (18, "missing"), (0, "doubled")])
def test_a_position_doubled_or_left_out_is_named(position: int, words: str, tmp_path: Path) -> None:
    bundle = trial("blocks")
    forged = rechained(bundle, rows_of(changed(bundle, 17, position=position)))
    assert verify(tmp_path, forged).found == (1, 17)
    assert problem(tmp_path, forged).endswith(f"where 17 is due: one is {words}.")


def test_positions_are_counted_in_each_stratum(tmp_path: Path) -> None:
    bundle = trial("stratified_blocks")
    strata = [each["stratum"] for each in bundle["allocations"]]
    number = next(n for n in range(1, 40) if strata[n] != strata[0]) + 1
    forged = rechained(bundle, rows_of(changed(bundle, number, position=number)))
    assert verify(tmp_path, forged).found == (1, number)


def test_a_unit_randomised_twice_is_named_with_the_first_time(tmp_path: Path) -> None:
    bundle = trial("simple")
    forged = rechained(bundle, rows_of(changed(bundle, 17, unit=bundle["allocations"][2]["unit"])))
    assert verify(tmp_path, forged).found == (1, 17)
    assert problem(tmp_path, forged).endswith("its unit has one already: allocation 3.")


@pytest.mark.parametrize("number", [17, 38])
def test_a_case_counted_twice_is_named_with_the_first_time(number: int, tmp_path: Path) -> None:
    bundle = trial("simple")
    forged = rechained(bundle, rows_of(changed(bundle, number, case=bundle["allocations"][2]["case"])))
    assert verify(tmp_path, forged).found == (1, number)
    assert problem(tmp_path, forged) == f"Allocation {number} is of the same case as allocation 3."


@SCHEMES
def test_a_follower_with_another_arm_is_named(scheme: str, tmp_path: Path) -> None:
    bundle = trial(scheme)
    arm = bundle["allocations"][37]["arm"]
    forged = rechained(bundle, rows_of(changed(bundle, 38, arm=other_arm(arm))))
    assert verify(tmp_path, forged).found == (1, 38)
    assert problem(tmp_path, forged) == (
        f"Allocation 38 is {other_arm(arm)}, but follows allocation 3, which is {arm}."
    )


@pytest.mark.parametrize("followed", [0, -1, 39, 40, 100, 38])
def test_a_follower_of_no_earlier_row_with_a_position_is_named(followed: int, tmp_path: Path) -> None:
    bundle = trial("simple")
    number = 39 if followed == 38 else 38
    forged = rechained(bundle, rows_of(changed(bundle, number, follows=followed)))
    assert verify(tmp_path, forged).found == (1, number)
    assert f"follows {followed}, which is no earlier" in problem(tmp_path, forged)


def test_a_follower_of_another_unit_is_named(tmp_path: Path) -> None:
    bundle = trial("simple")
    forged = rechained(bundle, rows_of(changed(bundle, 38, unit=digest("other")[:32])))
    assert verify(tmp_path, forged).found == (1, 38)
    assert "is of another unit" in problem(tmp_path, forged)


def test_a_follower_may_be_of_a_stratum_that_the_trial_has_not(tmp_path: Path) -> None:
    rows = units(DESIGNS["stratified_blocks"], 3)
    rows.append(following(rows, 2) | {"stratum": "Barnet"})
    assert verify(tmp_path, bundle_of(DESIGNS["stratified_blocks"], rows)).found == (0, None)


# --- Protocol, seed and heads ---


@SCHEMES
def test_another_protocol_is_not_the_one_committed_to(scheme: str, tmp_path: Path) -> None:
    bundle = trial(scheme)
    bundle["protocol"]["title"] += " "
    assert verify(tmp_path, bundle).found == (1, None)
    assert problem(tmp_path, bundle) == "Protocol and seed together are not those of the commitment."


def test_another_seed_is_not_the_one_committed_to(tmp_path: Path) -> None:
    assert verify(tmp_path, trial("blocks") | {"seed": OTHER_SEED.hex()}).found == (1, None)


def test_another_commitment_is_that_of_no_head(tmp_path: Path) -> None:
    """Whoever writes everything anew, protocol, seed and chain, is found by what the registrars hold."""
    whole = trial("blocks")
    protocol = whole["protocol"] | {"title": "Another"}
    forged = whole | {
        "protocol": protocol,
        "commitment": seal.commitment(protocol, OTHER_SEED),
        "seed": OTHER_SEED.hex(),
        "allocations": [],
    }
    assert verify(tmp_path, forged).found == (0, None)
    assert verify(tmp_path, forged, heads_of(whole, 0)).found == (1, None)


def test_heads_of_another_trial_are_a_difference(tmp_path: Path) -> None:
    run = verify(tmp_path, trial("blocks"), heads_of(trial("blocks"), 3), heads_of(trial("simple"), 3))
    assert run.found == (1, None)
    assert run.report["problem"] == 'The heads in "heads-1.json" are of a trial with another commitment.'


def test_an_impossible_protocol_is_named(tmp_path: Path) -> None:
    for changes in ({"coin": 50}, {"ratio": [1, 1, 1]}, {"ratio": [True, 1]}, {"target": 2**256 + 1}):
        bundle = trial("minimisation")
        bundle["protocol"]["allocation"] |= changes
        bundle["commitment"] = seal.commitment(bundle["protocol"], bytes.fromhex(bundle["seed"]))
        run = verify(tmp_path, bundle)
        assert run.found == (1, None)
        assert run.report["problem"].startswith("The protocol's allocation part is impossible: ")


@pytest.mark.parametrize("part", [None, [], {}, {"scheme": "simple"}])
def test_a_protocol_without_a_whole_allocation_part_is_named(part: Any, tmp_path: Path) -> None:
    bundle = before_reveal(trial("simple"))
    bundle["protocol"]["allocation"] = part
    assert verify(tmp_path, bundle).found == (1, None)


def test_heads_are_met_in_several_files_and_what_they_cover_is_said(tmp_path: Path) -> None:
    bundle = trial("blocks")
    report = verify(tmp_path, bundle, heads_of(bundle, 0, 4, 4, 30), heads_of(bundle, 40)).report
    assert report["result"] == "verified"
    assert report["checked"] | {"heads": 5, "head_files": 2} == report["checked"]
    assert "(which counts 40): 0." in report["not_excluded"][0]


def test_a_count_taken_back_is_a_difference(tmp_path: Path) -> None:
    bundle = trial("blocks")
    assert verify(tmp_path, bundle, heads_of(bundle, 10, 9, 20)).found == (1, 10)
    backwards = heads_of(bundle, 10, 20)
    backwards["heads"][1]["on"] = "2026-10-31"
    assert verify(tmp_path, bundle, backwards).found == (1, 21)


def test_the_first_of_several_differences_is_the_one_named(tmp_path: Path) -> None:
    bundle = changed(changed(trial("simple"), 30, case=digest("x")), 20, moment=digest("y"))
    heads = heads_of(bundle, 10, 25)
    heads["heads"][0]["hash"] = digest("z")
    assert verify(tmp_path, bundle).found == (1, 20)
    assert verify(tmp_path, bundle, heads).found == (1, 10)
    assert verify(tmp_path, bundle, heads).report["not_excluded"] == [
        "Only the first difference is named; nothing after it was checked."
    ]
    assert verify(tmp_path, bundle, heads).report["checked"]["allocations"] == 9


# --- Before the reveal ---


def test_before_the_reveal_links_counts_and_heads_are_checked_and_that_is_said(tmp_path: Path) -> None:
    bundle = before_reveal(trial("blocks"))
    report = verify(tmp_path, bundle, heads_of(bundle, 17)).report
    assert report["result"] == "linked"
    assert report["checked"] == {"allocations": 40, "arms": 0, "followers": 0, "heads": 1, "head_files": 1}
    assert report["not_excluded"][0] == trial_verify.BEFORE_THE_REVEAL
    assert "(which counts 17): 23." in report["not_excluded"][1]
    said = verify(tmp_path, bundle, as_json=False).output
    assert said.startswith("LINKED (the seed is not revealed yet)\n")
    assert "VERIFIED" not in said


def test_before_the_reveal_a_row_removed_renumbered_or_unlinked_is_named(tmp_path: Path) -> None:
    whole = before_reveal(trial("blocks"))
    assert verify(tmp_path, changed(whole, 17, number=18)).found == (1, 17)
    assert verify(tmp_path, changed(whole, 17, previous=digest("x"))).found == (1, 17)
    assert verify(tmp_path, changed(whole, 17, hash=digest("x"))).found == (1, 18)
    assert verify(tmp_path, changed(whole, 40, hash=digest("x")), heads_of(whole, 40)).found == (1, 40)
    assert verify(tmp_path, changed(whole, 40, hash="x")).found == (1, 40)
    cut = whole | {"allocations": whole["allocations"][:30]}
    assert verify(tmp_path, cut).found == (0, None)
    assert verify(tmp_path, cut, heads_of(whole, 31)).found == (1, 31)
