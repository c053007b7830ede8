"""How people write what finds a person, and what they write that looks like it and must stay.

All of the first kind are one telephone number or another of ``TRACES``, an address of Zjane's, or a postcode.
"""

import re

from src_app.scrubbing import plain

MUST_GO = (
    *("07700900123", "07700 900123", "07700 900 123", "07700-900-123", "07700.900.123", "07700/900/123"),
    *("07700_900_123", "07700,900,123", "(07700) 900123", "07700 ~ 900 ~ 123", "07700*900*123"),
    *("tel:07700900123", "tel.07700900123", "mob07700900123", "ring:07700900123;", "07700900123."),
    *("+447700900123", "+44 7700 900123", "+44 (0)7700 900123", "+44(0)7700900123", "+44-7700-900123"),
    *("0044 7700 900123", "447700900123", "7700900123", "07 70 09 00 12 3", "0 7 7 0 0 9 0 0 1 2 3"),
    *("\uff10\uff17\uff17\uff10\uff10\uff19\uff10\uff10\uff11\uff12\uff13", "O77OO 9OO123"),
    *("0770\u200b0900123", "07700\u00a0900\u00a0123", "07700\u2013900\u2013123", "\u202a07700900123\u202c"),
    *(
        "07\u00ad700900123",
        "0770\u20600900123",
        "\u0660\u0667\u0667\u0660\u0660\u0669\u0660\u0660\u0661\u0662\u0663",
    ),
    (
        "0\ufe0f\u20e37\ufe0f\u20e37\ufe0f\u20e30\ufe0f\u20e30\ufe0f\u20e39\ufe0f\u20e30\ufe0f\u20e30\ufe0f\u20e3"
        "1\ufe0f\u20e32\ufe0f\u20e33\ufe0f\u20e3"
    ),
    *("07700\t900123", "10:30 07700900123", "23/11/2026 07700 900123", "CAD 4711 07700 900123"),
    *("020 7946 0123", "0207 946 0123", "(020) 7946-0123", "020-79460123", "02079460123", "+44 20 7946 0123"),
    *("01632 960123", "+33 6 12 34 56 78", "0033 6 12 34 56 78", "+1 202-555-0143"),
    *(
        "07700, 900123",
        "07700; 900 123",
        "07700 900 I23",
        "0208 - 1234 - 567",
        "CAD: 020 7946 0123",
        "+07700 900123",
    ),
    *("\U000e0100".join("07700900123"), "".join(chr(0x1D7CE + int(figure)) for figure in "07700900123")),
    *("zjane@example.org", "zjane.doe+x@example.co.uk", "ZJANE@EXAMPLE.ORG", "mailto:zjane@example.org"),
    *("zjane[@]example.org", "zjane AT example.org"),
    *("zjane(at)example.org", "zjane [at] example [dot] org", "zjane @ example.org"),
    *(
        "07700  -  900123",
        "07700......900123",
        "07700,  900123",
        "20 7946 0123",
        "2079460123",
        "07700 900i23",
    ),
    *("zjane (@) example (.) org", "zjane at example.fr", "zjane @example.org"),
    *("zjane at  example.com", "zjane @  example.com", "zjane at example .com", "zjane at live.Co.Uk"),
    *("zjane at gmail com", "zjane @ icloud,com", "zjane at 163.com", "zjane at hotmail.co.uk"),
    *("zjane at example dot org", "zjane\uff20example\uff0eorg", "zjane@exam\u00adple.org"),
    *("SW15 4QQ", "SW154QQ", "sw15 4qq", "SW15-4QQ", "SW15.4QQ", "SW15/4QQ", "SW15_4QQ", "SW15  4QQ"),
    *("SW 15 4QQ", "SW 154QQ", "sw 15 4qq", "sw15 4 qq", "SWI5 4QQ", "SWl5 4QQ"),
    *("SW-15 4QQ", "SW15     4QQ", "SW15 4QQs", "SE1 OAA", "W1A OAX", "EC1V OAA", "EI 6AN", "NWl 4QQ"),
    *("SWI 4QQ", "M1 1 AS", "SW15 5 BY"),
    *("SW15,4QQ", "SW15 (4QQ)", "SW15 4 QQ", "SW15\u20134QQ", "SW15\u00b74QQ"),
    *("\uff33\uff37\uff11\uff15 \uff14\uff31\uff31", "SW15\u200b4QQ", "SW15 - 4QQ", "sw15\u00a04qq"),
)
# What would be left of them, of letters and digits alone; a long one hardly ever comes by chance.
LONG_TRACES = ("7700900123", "2079460123", "1632960123", "33612345678", "2025550143", "ZJANE", "SW154QQ")
TRACES = (
    *("700900123", "79460123", "612345678", "2081234567", *LONG_TRACES),
    *("SE10AA", "W1A0AX", "EC1V0AA", "E16AN", "NW14QQ", "SW14QQ", "M11AS", "SW155BY"),
)

MUST_STAY = (
    *("01/7654321/26", "01/234567/26", "02/07946012/26", "see 01/7654321/26 and 01/7654322/26"),
    *("CAD 4711/22NOV26", "CAD4711/22NOV26", "CAD 4711", "CAD 4711 of 23/11/2026", "CAD 0123/01NOV26"),
    *("CRIS 6500123/26", "URN 01VW0012345", "01VW/1234/26", "CHS 12345678", "Niche 47260012345"),
    *("SRC-2026-000123", "ref 2026/0001234", "4600012345", "6500123/26"),
    *("23/11/2026 07:45", "2026-11-23T07:45:10Z", "2026-11-23 07:45:10.123456", "07:45", "07.45", "0745 hrs"),
    *("01.11.2026", "1.11.26", "06/11/26 at 0610", "11 12 2026", "12 11 2026 09:30", "6th November"),
    *("0900 1100 1300", "duty 0700 1500 2300", "0800/1000/1800", "0900, 1030, 1200", "0700 1500, 2300 0700"),
    *("01 02 03 04 05 06 November", "CRIS 0700123/26", "URN 0112345/26", "0900 - 1700 13 November"),
    *("between 0900 and 1700", "0900-1700", "0800-1200 13 November", "09:00 10:00 11:30 12:00", "00:30"),
    *("after 7pm", "before 10:30am", "at 10am", "not after 20:00", "10.30-11.45", "week 48/2026", "25/12"),
    *("PC 1234SW", "PC1234SW", "PS 45VW", "DC 12 3SW", "PC12 3SW", "Insp 4021", "warrant 213456", "Sgt 9"),
    *(
        "PCSO 7123SW",
        "shoulder number 1234VW",
        "BCU 12",
        "E05014012",
        "section 5",
        "code 14",
        "1A",
        "NHS 111",
    ),
    *("s. 4A Public Order Act 1986", "Level 2 of 3", "cases 01, 02, 03, 04, 05", "aged 17", "999", "101"),
    *("Putney High Street", "East Putney", "W12 area", "ward: Thamesfield", "M25 J10", "A3 4pm", "E10 1am"),
    *(
        "B2 1st floor",
        "SW15 2nd floor",
        "bus 220 at 07.45",
        "route 93",
        "report @ 5pm",
        "\u00a312,500.00",
        "50%",
    ),
    *("left at 10.30", "PS 12 3SW", "met at St. Georges", "to 12 3SW", "at home. Org. chart"),
    *("look at met.police.uk", "pay at gov.uk", "advice at www.nhs.uk", "at school.He left", "due at 5.pm"),
    *("was at home.no reply", "at work.is back Monday", "left at door.no reply", "spoke at home.it was fine"),
    *("called @ 10.30", "VS @ 10.30 on 01.12.26", "PC 12 @ 10.30", "visited @ 17.00hrs", "email sent@10.15"),
    *("met @ Sainsburys.Declined support", "left card @ no. 4. Will call", "met @ St.Georges", "Tesco.at 5"),
    *("at 12 3 as well", "w12 4 at most", "sw15 2 to 5", "me 10 2nd", "e10 1 of 2", "b2 3 by night"),
    *("interpreter: Polish", "2A and 3A", "v1.2.3", "V5C", "met at 14:30 on 23.11.2026"),
)


def traces_in(text: str) -> list[str]:
    """Which of the traces the text holds, whatever stands between their letters and digits."""
    folded = _folded(text)
    return [trace for trace in TRACES if _folded(trace) in folded]


def _folded(text: str) -> str:
    """Letters and figures alone, with letters that are read as figures as these."""
    return re.sub(r"[\W_]", "", plain(text)).upper().translate(str.maketrans("OIL", "011"))
