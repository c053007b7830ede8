"""Made-up reports, in the columns of a crime system's extract."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.utils import timezone

from referrals.intake.reading.columns import Column
from referrals.models import Postcode

OFFENCES = {
    "Public order: racially or religiously aggravated": 30,
    "Harassment": 22,
    "Common assault": 14,
    "Criminal damage": 12,
    "Malicious communications": 9,
    "Assault occasioning actual bodily harm": 6,
    "Threats to kill": 4,
    "Stalking": 3,
}
STRANDS = {
    "Race": 66,
    "Sexual orientation": 12,
    "Religion": 10,
    "Disability": 6,
    "Transgender": 3,
    "Race; Religion": 3,
}
WISHES = {"": 55, "In person": 20, "Telephone only": 15, "Please call after 6pm": 10}
NOTES = {"": 80, "Dog at address": 10, "Do not attend the address: suspect lives in the same building": 10}
NEEDS = {"": 88, "Polish interpreter": 5, "BSL": 3, "Easy read": 4}
# A busy ward that falls behind: something for its supervisor to see.
SLOW_WARD, SLOW_WARDS_SHARE = "Tooting Broadway", 0.1
A_DAY = {2: 20, 3: 25, 4: 25, 5: 20, 6: 10}


@dataclass
class Reporter:
    """Draws reports one after another; the same seed gives the same reports."""

    random: Random
    number: int = 0

    def __post_init__(self) -> None:
        postcodes = Postcode.objects.order_by("pcds")
        self._postcodes = list(postcodes.values_list("pcds", flat=True))
        self._slow = list(postcodes.filter(ward__name=SLOW_WARD).values_list("pcds", flat=True))
        self._victims: list[str] = []

    def days(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, bytes]]:
        """Each morning at 7:30 with the extract of the day before it, heading and rows."""
        morning = start
        while morning <= end:
            yield morning, self._extract(morning)
            morning += timedelta(days=1)

    def _extract(self, morning: datetime) -> bytes:
        file = io.StringIO()
        writer = csv.DictWriter(file, [column.value for column in Column])
        writer.writeheader()
        for _ in range(self._drawn(A_DAY)):
            writer.writerow(self._report(morning))
        return file.getvalue().encode()

    def _drawn(self, weights: dict[int, int]) -> int:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _word(self, weights: dict[str, int]) -> str:
        return self.random.choices(list(weights), list(weights.values()))[0]

    def _report(self, morning: datetime) -> dict[str, str]:
        self.number += 1
        reported = morning - timedelta(minutes=self.random.randint(5, 24 * 60))
        occurred = reported - timedelta(minutes=self.random.randint(10, 3 * 24 * 60))
        again = bool(self._victims) and self.random.random() < 0.03
        victim = self.random.choice(self._victims) if again else f"V6{self.number:05}"
        self._victims.append(victim)
        return {
            Column.CRIME_REFERENCE: f"01/6{self.number:06}/{reported:%y}",
            Column.REPORTED_AT: _written(reported),
            Column.OCCURRED_AT: _written(occurred),
            Column.OFFENCE: self._word(OFFENCES),
            Column.HATE_STRANDS: self._word(STRANDS),
            Column.CRIME_OR_INCIDENT: "Incident" if self.random.random() < 0.06 else "Crime",
            Column.VICTIM_TYPE: "Organisation" if self.random.random() < 0.04 else "Individual",
            Column.VICTIM_POSTCODE: self.random.choice(
                self._slow if self.random.random() < SLOW_WARDS_SHARE else self._postcodes
            ),
            Column.REPEAT_VICTIM: "Y" if again or self.random.random() < 0.1 else "N",
            Column.CONTACT_WISHES: self._word(WISHES),
            Column.SAFETY_NOTE: self._word(NOTES),
            Column.OFFICER_IN_CASE: f"PC {self.random.randint(4000, 6999)}SW",
            Column.INCIDENT_REFERENCE: f"CAD{3000 + self.number}/{reported:%d%b%y}".upper(),
            Column.VICTIM_KEY: victim,
            Column.VICTIM_UNDER_18: "Y" if self.random.random() < 0.06 else "N",
            Column.COMMUNICATION_NEED: self._word(NEEDS),
        }


def _written(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%d/%m/%Y %H:%M}"
