"""What the made reports say, each as often as it stands here."""

from random import Random

from referrals.models import CloseReason, ContactBy, Reason, Restriction, Result


def spread(weights: dict[str, int]) -> list[str]:
    """Each key as often as its weight, to draw from."""
    return [key for key, weight in weights.items() for _ in range(weight)]


def drawn(random: Random, words: list[str]) -> str:
    """One of them by chance."""
    return words[int(random.random() * len(words))]


OFFENCES = spread(
    {
        "Public order: racially or religiously aggravated": 30,
        "Harassment": 22,
        "Common assault": 14,
        "Criminal damage": 12,
        "Malicious communications": 9,
        "Assault occasioning actual bodily harm": 6,
        "Threats to kill": 4,
        "Stalking": 3,
    }
)
STRANDS = spread(
    {
        "{race}": 66,
        "{sexual_orientation}": 12,
        "{religion}": 10,
        "{disability}": 6,
        "{transgender}": 3,
        "{race,religion}": 3,
    }
)
WISHES = spread({"": 55, "In person": 20, "Telephone only": 15, "Please call after 6pm": 10})
SAFETY_NOTES = spread({"": 80, "Dog at address": 10, "Do not attend: suspect lives in the same building": 10})
NEEDS = spread({"": 88, "Polish interpreter": 5, "BSL": 3, "Easy read": 4})
RESTRICTIONS = spread(
    {
        "{}": 85,
        f"{{{Restriction.NO_HOME_VISIT}}}": 9,
        f"{{{Restriction.NO_VOICEMAIL},{Restriction.VICTIM_ONLY}}}": 6,
    }
)
OUTCOME_CODES = spread(
    {"16": 26, "14": 6, "18": 26, "15": 19, "1": 9, "8": 5, "3": 3, "21": 3, "9": 2, "22": 1}
)
NOT_SUITABLE = [
    (Reason.NO_CRIME.value, ContactBy.INVESTIGATOR.value),
    (Reason.NO_INDIVIDUAL.value, ContactBy.INVESTIGATOR.value),
    (Reason.DUPLICATE.value, ContactBy.INVESTIGATOR.value),
    (Reason.OUTSIDE_BCU.value, ContactBy.HOME_BCU.value),
    (Reason.DOMESTIC.value, ContactBy.SAFEGUARDING.value),
]
ENDS_WITHOUT = [
    (CloseReason.DECLINED.value, Result.DECLINED.value),
    (CloseReason.NO_REPLY.value, Result.NO_ANSWER.value),
    (CloseReason.WRONG_DETAILS.value, Result.WRONG_DETAILS.value),
]
ATTEMPT_NOTES = ["Nobody in, will try again in the evening.", "Spoke for ten minutes, glad of the call."]
