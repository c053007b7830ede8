"""What the run found: as JSON, or as tables for a terminal; and which aims it missed."""

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.history import Filled
from bench.measuring import Measured

# An aim is met at up to this ratio.
TO_RENDERING, GROWTH, DEEP = 1.5, 1.1, 1.1
# A deep page, and the first page of the same list.
DEEP_PAGES = {
    "case_list_middle": "case_list",
    "case_list_end": "case_list",
    "audit_list_middle": "audit_list",
}


@dataclass
class BenchReport:
    """Everything measured in one run."""

    rows: int
    small_rows: int | None
    filled: dict[int, Filled] = field(default_factory=dict)
    pages: list[Measured] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)

    def deep(self, page: Measured) -> float | None:
        """A deep page over the first page of its list, where both were measured.

        They were not measured in turn, so each counts as a multiple of rendering the same rows.
        """
        first = DEEP_PAGES.get(page.page.name)
        found = [other for other in self.pages if other.page.name == first]
        return page.to_rendering / found[0].to_rendering if found else None

    def missed(self) -> list[str]:
        """The aims that were missed, in words."""
        said = []
        for page in self.pages:
            for what, ratio, aim in (
                ("rendering from memory", page.to_rendering, TO_RENDERING),
                ("the small size", page.growth, GROWTH),
                ("the first page", self.deep(page), DEEP),
            ):
                if ratio is not None and ratio > aim:
                    said.append(f"{page.page.name}: {ratio:.2f} of {what}, aim {aim}")
        return said + [f"{other['name']}: {missed}" for other in self.others if (missed := other["missed"])]

    def as_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "rows": self.rows,
            "small_rows": self.small_rows,
            "made": [
                {"cases": cases, "seconds": round(filled.seconds, 1), "rows": filled.rows}
                for cases, filled in self.filled.items()
            ],
            "pages": [self._page(page) for page in self.pages],
            "others": self.others,
            "missed": self.missed(),
        }

    def _page(self, page: Measured) -> dict[str, Any]:
        ratios = {
            "page_to_rendering": page.to_rendering,
            "page_to_served_from_memory": page.to_served,
            "page_to_sql_and_rendering": page.to_by_hand,
            "large_to_small": page.growth,
            "deep_to_first": self.deep(page),
        }
        return {
            "name": page.page.name,
            "rows": page.rows,
            "rows_at_small_size": page.small_rows,
            "queries": len(page.queries),
            "milliseconds": {
                "page": page.whole.as_json(),
                "rendering_from_memory": page.rendered.as_json(),
                "served_from_memory": page.served.as_json(),
                "sql_by_hand": page.selected.as_json(),
                "page_at_small_size": page.small.as_json() if page.small else None,
            },
            "ratios": {name: ratio and round(ratio, 3) for name, ratio in ratios.items()},
            **({"plans": page.plans} if page.plans else {}),
        }

    def print(self, console: Console) -> None:
        """For people."""
        for cases, filled in self.filled.items():
            console.print(
                f"{cases:,} cases made in {filled.seconds:.1f} s: {sum(filled.rows.values()):,} rows."
            )
        if self.pages:
            console.print(self._table())
        for other in self.others:
            console.print(_of_import(other))
        for page in self.pages:
            for plan in page.plans:
                console.print(f"{page.page.name}: {plan['statement']}", markup=False, highlight=False)
                console.print("\n".join(plan["plan"]), markup=False, highlight=False)
        for missed in self.missed():
            console.print(f"Missed: {missed}.", style="bold red")

    def _table(self) -> Table:
        table = Table(title=f"Pages at {self.rows:,} cases, in milliseconds (half of all between)")
        for heading in ("page", "rows", "queries", "whole", "rendered", "served", "SQL by hand"):
            table.add_column(heading, justify="left" if heading == "page" else "right")
        for heading in ("/ rendered", "/ served", "/ SQL + rendered", "/ small", "/ first"):
            table.add_column(heading, justify="right")
        for page in self.pages:
            ratios = (page.to_rendering, page.to_served, page.to_by_hand, page.growth, self.deep(page))
            table.add_row(
                page.page.name,
                str(page.rows),
                str(len(page.queries)),
                *(
                    _told(times.as_json())
                    for times in (page.whole, page.rendered, page.served, page.selected)
                ),
                *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios),
            )
        return table


def _told(times: dict[str, float]) -> str:
    return f"{times['median']:.1f} ({times['lower']:.1f}–{times['upper']:.1f})"


def _of_import(found: dict[str, Any]) -> Table:
    table = Table(title=f"{found['name']}, {found['rows']:,} rows, beside {found['compared_with']}")
    table.add_column("what")
    table.add_column("milliseconds, or ratio", justify="right")
    for name, taken in found["milliseconds"].items():
        table.add_row(name, _told(taken) if isinstance(taken, dict) else f"{taken:,}")
    for name, ratio in found["ratios"].items():
        table.add_row(name, f"{ratio:.2f}")
    for name, megabytes in found.get("peak_memory_megabytes", {}).items():
        table.add_row(f"peak memory, {name}", f"{megabytes:,} MB")
    return table
