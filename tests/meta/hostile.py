"""What nobody types and somebody sends: each written as it stands in an address or in a form's body."""

from collections.abc import Mapping
from urllib.parse import quote

# As many digits as Python refuses to read as a number, and more than any column holds.
_DIGITS = "9" * 5_000
_LONG = "x" * 3_000


def _written(*texts: str) -> tuple[str, ...]:
    return tuple(quote(text, safe="") for text in texts)


TEXTS = (
    *_written(
        "\0",
        "a\0b",
        _LONG,
        "\r\nSet-Cookie: a=b",
        "\x01\x1b\x7f",
        "\U0001f600\u202e\ufeff\u0301",
        "{{ 7 }}{% x %}",
        "'\"><b>\\",
        "%(name)s {0} %s",
        f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.example",
        " ",
    ),
    # Bytes that are no UTF-8, half of a pair, an overlong NUL, and percent signs that begin nothing.
    "%FF%FE",
    "%ED%A0%80",
    "%C0%80",
    "%",
    "%zz%4",
)
NUMBERS = _written(
    "-1",
    "0",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    "9" * 30,
    _DIGITS,
    f"-{_DIGITS}",
    "1e400",
    "NaN",
    "-Infinity",
    "1.5",
    "1_000",
    "²",
    "½",
    "٣",
    "true",
    f"{2**63}:{2**63}",
    f"{_DIGITS}:1",
)
DAYS = _written(
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00",
    "9999-12-31T23:59",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "31/12/9999",
    "10000-01-01",
    "0000-00-00",
    "2026-02-30",
    "2026-03-29T01:30",
    "0001-01-01 leader",
    "9999-12-31 leader",
)
ADDRESSES = _written(
    "http://[evil]/",
    "//[evil",
    "http://\u2100.example/",
    "http://testserver:99999999/",
    "///elsewhere.example",
    "\\\\elsewhere.example",
    "javascript:alert(1)",
    "nothing",
    "case",
    "/\0",
    f"/{_LONG}",
    "?a=%00&b=[",
)
TOKENS = _written(
    "[false, false, false]",
    "[true, true, true]",
    "[false, NaN, NaN]",
    "[false, Infinity, -Infinity]",
    "[false, 1e9999, 1e9999]",
    "[false, 1.5, 1.5]",
    "[null, null, null]",
    "[false, [], {}]",
    "[false]",
    "[false, 1, 2, 3, 4, 5]",
    "{}",
    "1",
    "[" * 3_000,
    f"[false, {_DIGITS}, {_DIGITS}]",
    f"[false, {2**63}, {2**63}]",
    f"[false, {-(2**70)}, {-(2**70)}]",
    '[false, "a", "b"]',
    '[false, "\\u0000", 1]',
    '[false, "\\ud800", 1]',
    '[false, "2026-11-23", 1]',
    '[false, "2026-11-23T07:30:00", 1]',
    '[false, "0001-01-01T00:00:00+14:00", 1]',
    '[true, "9999-12-31T23:59:59-14:00", 9]',
    '[false, "2026-11-23T07:30:00+00:00", "x"]',
    '[{"a": 1}, "2026-11-23T07:30:00+00:00", 1]',
)
EVERYTHING = (*TEXTS, *NUMBERS, *DAYS, *ADDRESSES, *TOKENS)
KINDS = (TEXTS, NUMBERS, DAYS, ADDRESSES, TOKENS)

# In the place of a part of the path.
PARTS = (
    "%00",
    quote(_DIGITS),
    str(2**63),
    "9" * 30,
    "-1",
    "0",
    "%FF%FE",
    "%ED%A0%80",
    "%0D%0A",
    "%2F%2F%5Bevil%5D",
    "..",
    _LONG,
    "00000000-0000-0000-0000-000000000000",
    "SRC-2026-000000",
    "%D9%A3",
)

METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE")

# As gunicorn hands them on, by WSGI's names; a length that is none it refuses itself.
HEADERS: tuple[Mapping[str, str], ...] = (
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "http://[evil]/"},
    {
        "HTTP_HX_REQUEST": "true",
        "HTTP_HX_CURRENT_URL": "%00%FF",
        "HTTP_HX_CURRENT_URL_URI_AUTOENCODED": "true",
    },
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": f"http://testserver/{_LONG}"},
    {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": _LONG, "HTTP_HX_TRIGGER": "\xff"},
    {"HTTP_REFERER": "http://[evil]/"},
    {"HTTP_ORIGIN": "http://[evil]"},
    {"HTTP_REFERER": "http://[evil]/", "wsgi.url_scheme": "https"},
    {"HTTP_HOST": "[evil"},
    {"HTTP_HOST": "testserver:99999999"},
    {"HTTP_COOKIE": 'sessionid="abcdefgh\\000"; csrftoken="\\000"; messages="\\000"'},
    {"HTTP_COOKIE": "sessionid=\xff\xfe\xed\xa0\x80abcdef; =; ;; messages=[[[[:1:2"},
    {"HTTP_COOKIE": f"sessionid={_LONG}; csrftoken={_LONG}"},
    {"HTTP_X_FORWARDED_FOR": "nonsense, 1.2.3.4:80, fe80::1%eth0"},
    {"HTTP_ACCEPT_LANGUAGE": _LONG, "HTTP_USER_AGENT": "\xff" * 9_000},
    {"HTTP_IF_MODIFIED_SINCE": "never", "HTTP_IF_NONE_MATCH": "\xff", "HTTP_RANGE": "bytes=-1"},
    {"QUERY_STRING": "&".join(f"a{number}=1" for number in range(1_100))},
    {"QUERY_STRING": "&&==&%00=%00&\xff=\xfe&[]=[]"},
)

_FORM, _PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


def _part(disposition: bytes, content: bytes, *headers: bytes) -> bytes:
    lines = [b"--x", b"Content-Disposition: form-data; " + disposition, *headers, b"", content, b"--x--", b""]
    return b"\r\n".join(lines)


BODIES: tuple[tuple[str, bytes], ...] = (
    ("multipart/form-data", b"a=b"),
    ("multipart/form-data; boundary=\xff", b"a=b"),
    (_PARTS, _part(b"name=a", b"")[:-8]),
    (_PARTS, _part(b'name="note"', b"\0\xff")),
    (_PARTS, _part(b"name=file; filename*=nonsense''a", b"b")),
    (_PARTS, _part(b'name="file"; filename="a\0\xff/../b.csv"', b"\0")),
    (_PARTS, _part(b'name="key"', b"*", b"Content-Transfer-Encoding: base64")),
    ("application/json", b"{"),
    (_FORM, b"\xff\xfe=%00&&==%&%zz"),
    (_FORM, b"&".join(b"a%d=1" % number for number in range(1_100))),
    (_FORM, b"a=" + b"x" * (5 * 1024 * 1024 + 1)),
    (_FORM, b"key=1&key=2&version=1&version=&referral=1&referral=2&next=/&next=//"),
)
