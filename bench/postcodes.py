"""``load_postcodes`` on a made directory, beside reading the file and a bare COPY of what is kept."""

import csv
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.db import connections

from bench.databases import Database
from bench.people import World
from referrals.places.actions.postcodes import load_postcodes
from src_app.audit.record import acting

# The directory has some 50 columns; of 9,000 wards a unit of the force knows a hundred.
COLUMNS, WARDS = 50, 9_000
AIM = 1.5
_ROOT = Path(__file__).resolve().parent.parent
_PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
SAMPLE = _ROOT / "referrals" / "data" / "postcodes_sample.csv"


def measure_postcodes(database: Database, world: World, rows: int) -> dict[str, Any]:
    """The load into an empty table; then again, as the command, for the memory it needs."""
    database.use()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "postcodes.csv"
        _write(path, rows, [ward.code for ward in world.wards])
        read = _seconds(lambda: _read(path))
        loaded = _seconds(lambda: _load(path, world))
        copied, kept = _copy_again()
        memory, idle = _peak_memory(database, path), _peak_memory(database, None)
        megabytes = path.stat().st_size / 2**20
    ratio = loaded / (read + copied)
    return {
        "name": "load_postcodes",
        "rows": rows,
        "file_megabytes": round(megabytes),
        "compared_with": "reading the file by csv and a bare COPY of the rows kept",
        "kept": kept,
        "milliseconds": {
            "load_postcodes": round(loaded * 1_000),
            "reading_the_file": round(read * 1_000),
            "copy_of_kept_rows": round(copied * 1_000),
        },
        "peak_memory_megabytes": {"loading": round(memory), "a_command_that_does_nothing": round(idle)},
        "rows_a_second": round(rows / loaded),
        "ratios": {"load_to_reading_and_copy": round(ratio, 2)},
        "missed": f"{ratio:.2f} of reading the file and a COPY, aim {AIM:g}" if ratio > AIM else "",
    }


def load_sample_postcodes(world: World) -> None:
    """The sample of the demo, for extracts to name."""
    _load(SAMPLE, world)


def _write(path: Path, rows: int, known: list[str]) -> None:
    """A directory in which one postcode in three has ended and the wards here are as few as they are."""
    random = Random(rows)  # noqa: S311 - made data
    letters = "ABDEFGHJLNPQRSTUWXYZ"
    rest = "," + ",".join(f"E{number:08}" for number in range(COLUMNS - 4))
    headings = ["pcd", "pcds", "doterm", "osward", *(f"column{number}" for number in range(COLUMNS - 4))]
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(headings) + "\n")
        for number in range(rows):
            inward = f"{number % 10}{letters[number // 10 % 20]}{letters[number // 200 % 20]}"
            outward = number // 4_000
            postcode = (
                f"{letters[outward // 2_000 % 20]}{letters[outward // 100 % 20]}{outward % 100} {inward}"
            )
            ended = "202001" if random.random() < 0.34 else ""
            ward = int(random.random() * WARDS)
            code = known[ward] if ward < len(known) else f"E05{900_000 + ward}"
            file.write(f"{postcode},{postcode},{ended},{code}{rest}\n")


def _seconds(run: Callable[[], Any]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _read(path: Path) -> None:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for _ in csv.reader(file):
            pass


def _load(path: Path, world: World) -> None:
    system = world.people["system"]
    with path.open(encoding="utf-8-sig", newline="") as file, acting("bench postcodes", by=system):
        load_postcodes(files=[file], by=system, all_the_same=True)


def _copy_again() -> tuple[float, int]:
    with connections["owner"].cursor() as cursor:
        rows = io.StringIO()
        cursor.copy_expert("COPY referrals_postcode TO STDOUT", rows)
        cursor.execute("CREATE TABLE bare (LIKE referrals_postcode INCLUDING ALL)")
        rows.seek(0)
        seconds = _seconds(lambda: cursor.copy_expert("COPY bare FROM STDIN", rows))
        kept = cursor.rowcount
        cursor.execute("DROP TABLE bare")
    return seconds, kept


def _peak_memory(database: Database, path: Path | None) -> float:
    """Megabytes that the command needed at most; without a file, one that only counts migrations."""
    address = urlsplit(settings.DATABASE_URL)
    environment = os.environ | {"DATABASE_URL": urlunsplit(address._replace(path=f"/{database.name}"))}
    arguments = ["load_postcodes", str(path)] if path else ["showmigrations", "--plan"]
    # From a small process: a child's peak counts what its parent held when it started.
    command = [sys.executable, "-c", _PEAK, sys.executable, str(_ROOT / "manage.py"), *arguments]
    told = subprocess.run(command, env=environment, capture_output=True, check=True)  # noqa: S603 - our own
    return int(told.stdout) / 1024
