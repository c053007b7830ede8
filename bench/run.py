"""One run: databases made and filled, then everything asked for measured in them."""

import argparse
import sys
from collections.abc import Sequence

from django.utils import timezone

from bench.allocation import measure_allocations
from bench.compliance import measure_compliance
from bench.databases import Databases, own_databases
from bench.history import fill
from bench.imports import measure_import
from bench.mail import measure_mail
from bench.measuring import Place, measure, place_of
from bench.pages import pages_of
from bench.people import make_world
from bench.postcodes import load_sample_postcodes, measure_postcodes
from bench.report import BenchReport

PAGE_NAMES = (
    *("overnight_review", "case_list", "case_list_ward", "case_list_borough", "case_list_dates"),
    *("case_list_waiting", "case_list_referred", "case_list_usual_service", "case_list_not_suitable"),
    *("case_list_ward_usual_service", "case_list_borough_usual_service", "case_list_ward_not_suitable_dates"),
    *("case_list_middle", "case_list_end", "my_referrals", "case", "compliance_hcop"),
    *("compliance_supervisor", "flag_list", "follow_up_list"),
    *("audit_list", "audit_list_account", "audit_list_rare_act", "audit_list_middle"),
)
NAMES = (*PAGE_NAMES, "compliance_counts", "mail", "import", "load_postcodes", "allocation")


def run(arguments: argparse.Namespace) -> BenchReport:
    """Measures what was asked for, or everything."""
    names = arguments.names or NAMES
    small = arguments.small if arguments.rows > arguments.small else None
    report = BenchReport(arguments.rows, small)
    with own_databases(arguments.migrated) as databases:
        if set(names) & {*PAGE_NAMES, "compliance_counts"}:
            _measure_pages(databases, arguments, names, report)
        if {"mail", "import", "load_postcodes"} & set(names):
            _measure_imports(databases, arguments, names, report)
        if "allocation" in names:
            _say("Measuring allocation …")
            report.others += measure_allocations(databases, arguments.units, arguments.later)
    return report


def _measure_pages(
    databases: Databases, arguments: argparse.Namespace, names: Sequence[str], report: BenchReport
) -> None:
    """Each page in the database of every size, the small one and the large one in turn."""
    now = timezone.now().replace(microsecond=0)
    sizes = [rows for rows in (report.small_rows, report.rows) if rows]
    places: list[dict[str, Place]] = []
    for rows in sizes:
        database = databases.make(str(rows))
        _say(f"Making {rows:,} cases …")
        world = make_world(now)
        report.filled[rows] = fill(world, rows)
        places.append({page.name: place_of(database, page) for page in pages_of(world)})
    for name in PAGE_NAMES:
        if name in names:
            _say(f"Measuring {name} …")
            small = places[0][name] if len(places) > 1 else None
            measured = measure(places[-1][name], small, arguments.repetitions, explain=arguments.explain)
            report.pages.append(measured)
    if "compliance_counts" in names:
        _say("Measuring compliance_counts …")
        of_hcop = [each["compliance_hcop"] for each in places]
        small = of_hcop[0] if len(of_hcop) > 1 else None
        report.others.append(measure_compliance(of_hcop[-1], small, arguments.repetitions))


def _measure_imports(
    databases: Databases, arguments: argparse.Namespace, names: Sequence[str], report: BenchReport
) -> None:
    """Into a database of the small size: an index is not the deeper for a larger one."""
    database = databases.make("imports")
    world = make_world(timezone.now().replace(microsecond=0))
    fill(world, arguments.small)
    if "mail" in names:
        _say("Measuring mail …")
        report.others.append(measure_mail(database, world, arguments.messages))
    if "import" in names:
        _say("Measuring import …")
        load_sample_postcodes(world)
        report.others.append(measure_import(database, world, min(arguments.rows, arguments.import_rows)))
    if "load_postcodes" in names:
        _say("Measuring load_postcodes …")
        report.others.append(measure_postcodes(database, world, arguments.postcodes))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
