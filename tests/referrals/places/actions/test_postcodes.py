"""The Postcode Directory."""

import io
import tracemalloc
from collections.abc import Iterator
from typing import TextIO

import pytest

from referrals.models import Bcu, Postcode
from referrals.places.actions.postcodes import NotADirectory, load_postcodes
from src_app.accounts.guards import NotAllowed
from src_app.accounts.models import User
from src_app.audit.models import Action, AuditEntry
from tests.conftest import World
from tests.extracts import POSTCODES
from tests.extracts import REAL_FILES as REAL

# The Directory has some 50 columns; ours stand among made-up ones.
COLUMNS = [*(f"before{n}" for n in range(2)), "pcds", "doterm", "osward", *(f"after{n}" for n in range(45))]


def line(pcds: str, ward: str, ended: str = "") -> str:
    cells = {"pcds": pcds, "doterm": ended, "osward": ward}
    return ",".join(f'"{cells.get(column, "x")}"' for column in COLUMNS) + "\r\n"


def directory(*lines: str) -> io.StringIO:
    return io.StringIO(",".join(COLUMNS) + "\r\n" + "".join(lines), newline="")


def known() -> dict[str, str]:
    return dict(Postcode.objects.values_list("pcds", "ward__code"))


def test_live_postcodes_of_known_wards_are_kept_and_no_others(bcu: Bcu, world: World, system: User) -> None:
    here, there = world.wards[2].code, world.north_ward.code
    loaded = load_postcodes(
        files=[
            directory(
                line("SW17 9AA", here),
                line("SW17 9AB", here, ended="202301"),
                line("EH1 1AA", "S13002919"),
                line("N1 1AA", there),
                line("sw179ac", here),
            )
        ],
        by=system,
    )
    assert known() == {"SW17 9AA": here, "SW17 9AC": here, "N1 1AA": there}
    # The three of the fixture went.
    assert [loaded.rows, loaded.postcodes, loaded.added_or_moved, loaded.removed] == [5, 3, 3, 3]
    assert AuditEntry.objects.get().action == Action.REFERENCE_DATA_LOADED


def test_a_second_run_changes_nothing(world: World, system: User) -> None:
    lines = [line("SW17 9AA", world.wards[0].code), line("SW17 9AB", world.wards[1].code)]
    load_postcodes(files=[directory(*lines)], by=system)
    again = load_postcodes(files=[directory(*lines)], by=system)
    assert [again.rows, again.postcodes, again.added_or_moved, again.removed] == [2, 2, 0, 0]
    assert AuditEntry.objects.count() == 1


def test_a_postcode_that_moved_finds_its_new_ward(world: World, system: User) -> None:
    load_postcodes(files=[directory(line("SW17 9AA", world.wards[0].code))], by=system)
    moved = load_postcodes(files=[directory(line("SW17 9AA", world.wards[1].code))], by=system)
    assert (moved.added_or_moved, moved.removed) == (1, 0)
    assert known() == {"SW17 9AA": world.wards[1].code}


def test_the_sample_has_474_postcodes_six_for_each_ward(real_places: Bcu) -> None:
    assert Postcode.objects.count() == 474
    assert Postcode.objects.values("ward").distinct().count() == 79
    assert POSTCODES.read_text().count("\n") == 475


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "no column pcds or doterm or osward or wd25cd"),
        ("pcds,doterm,oa11\n", "no column osward"),
        ("pcds,doterm,osward\nSW17 9AA,,{ward}\nSW17 9AB\n", "Line 3 has 1 cells"),
        ('pcds,doterm,osward\nSW17 9AA,,{ward}\n"SW17 9AB,,{ward}\n', "cannot be read beyond row 1"),
        ("pcds,doterm,osward\nSW17 9AA,202001,{ward}\n", "no live postcode"),
        ("pcds,doterm,osward\nSW17 9AA,,E99999999\n", "no live postcode"),
    ],
)
def test_a_file_that_is_none_leaves_the_postcodes_as_they_are(
    bcu: Bcu, world: World, system: User, content: str, words: str
) -> None:
    before = known()
    with pytest.raises(NotADirectory, match=words):
        load_postcodes(files=[io.StringIO(content.format(ward=world.wards[0].code))], by=system)
    assert known() == before
    assert not AuditEntry.objects.exists()


def test_who_keeps_no_places_loads_none(world: World, hcop: User) -> None:
    with pytest.raises(NotAllowed):
        load_postcodes(files=[directory(line("SW17 9AA", world.wards[0].code))], by=hcop)


class Lines:
    """A file of ``count`` rows made as they are read."""

    def __init__(self, count: int, ward: str) -> None:
        self.made = self._make(count, ward)

    def _make(self, count: int, ward: str) -> Iterator[str]:
        yield ",".join(COLUMNS) + "\r\n"
        for number in range(count):
            letters = "".join(chr(65 + number // 20**place % 20) for place in (1, 0))
            yield line(f"SW{number // 4000 % 100} {number // 400 % 10}{letters}", ward)

    def __iter__(self) -> Iterator[str]:
        return self.made


def test_memory_does_not_grow_with_the_file(world: World, system: User) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            loaded = load_postcodes(files=[Lines(count, world.wards[0].code)], by=system)  # type: ignore[list-item]
            assert loaded.rows == loaded.postcodes == count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1_000)
    small, large = peak(2_000), peak(50_000)
    assert large < small + 200_000


def _real(name: str) -> TextIO:
    return (REAL / name).open(encoding="utf-8-sig", newline="")


@pytest.mark.parametrize("name", ["like_2026", "like_AUG_2025", "like_MAY_2025_control"])
def test_the_wards_column_is_known_by_its_name_of_any_year(real_places: Bcu, system: User, name: str) -> None:
    before = known()
    with _real(f"directory-names/ONSPD_{name}.csv") as file:
        loaded = load_postcodes(files=[file], by=system)
    assert (loaded.postcodes, loaded.added_or_moved, loaded.removed) == (474, 0, 0)
    assert known() == before


def test_a_part_of_the_directory_is_not_taken_for_the_whole(real_places: Bcu, system: User) -> None:
    before = known()
    with (
        _real("directory-part/ONSPD_like_MAY_2025_UK_SW.csv") as file,
        pytest.raises(NotADirectory, match="Kingston upon Thames would lose all postcodes"),
    ):
        load_postcodes(files=[file], by=system)
    assert known() == before
    with _real("directory-part/ONSPD_like_MAY_2025_UK_SW.csv") as file:
        loaded = load_postcodes(files=[file], by=system, only_their_areas=True)
    assert (loaded.added_or_moved, loaded.removed) == (0, 0)
    assert known() == before


def _of_each_ward(world: World, *districts: str) -> list[str]:
    """Five postcodes of each ward in each district."""
    wards = enumerate(sorted(ward.code for ward in world.wards), start=10)
    return [line(f"{name}{n} {k}AA", code) for n, code in wards for name in districts for k in range(5)]


def test_a_part_is_known_though_each_borough_has_some_postcodes_in_it(world: World, system: User) -> None:
    whole, part = _of_each_ward(world, "SW", "KT"), _of_each_ward(world, "SW")
    load_postcodes(files=[directory(*whole)], by=system)
    with pytest.raises(NotADirectory) as refused:
        load_postcodes(files=[directory(*part)], by=system)
    count = 5 * len(world.wards)
    assert str(refused.value).startswith(f"Area KT ({count} known) is not in it, Merton would lose ")
    assert len(known()) == 2 * count
    load_postcodes(files=[directory(*part)], by=system, all_the_same=True)
    assert len(known()) == count


def test_a_borough_may_lose_a_fifth_of_its_postcodes_and_no_more(world: World, system: User) -> None:
    here = [line(f"SW17 {n}AA", world.wards[0].code) for n in range(10)]
    load_postcodes(files=[directory(*here)], by=system)
    assert load_postcodes(files=[directory(*here[:8])], by=system).removed == 2
    with pytest.raises(NotADirectory, match="would lose 2 of 8 postcodes: is this a part"):
        load_postcodes(files=[directory(*here[:6])], by=system)


def test_of_the_areas_in_a_part_what_ended_goes_and_others_stay(world: World, system: User) -> None:
    here, there = world.wards[0].code, world.wards[3].code
    whole = [line("SW17 9AA", here), line("SW17 9AB", here), line("S1 1AA", here), line("KT1 1AA", there)]
    load_postcodes(files=[directory(*whole)], by=system, all_the_same=True)
    load_postcodes(files=[directory(line("SW17 9AA", here))], by=system, only_their_areas=True)
    assert known() == {"SW17 9AA": here, "S1 1AA": here, "KT1 1AA": there}


def test_what_a_borough_loses_is_loaded_where_it_is_meant(world: World, system: User) -> None:
    here, there = world.wards[0].code, world.wards[3].code
    load_postcodes(files=[directory(line("SW17 9AA", here), line("KT1 1AA", there))], by=system)
    loaded = load_postcodes(files=[directory(line("SW17 9AA", here))], by=system, all_the_same=True)
    assert loaded.removed == 1
    assert there in loaded.without_postcode


def test_the_parts_of_a_directory_are_loaded_together(world: World, system: User) -> None:
    here, there = world.wards[0].code, world.wards[3].code
    parts = [directory(line("SW17 9AA", here)), directory(line("KT1 1AA", there))]
    assert load_postcodes(files=parts, by=system).postcodes == 2


def test_a_ward_with_a_new_code_is_named_with_it(real_places: Bcu, system: User) -> None:
    with _real("directory-part/ONSPD_like_one_ward_recoded.csv") as file:
        loaded = load_postcodes(files=[file], by=system)
    assert loaded.removed == 6
    assert loaded.without_postcode == ["E05013810"]
    assert loaded.recoded == {"E05013810": "E05099901"}
