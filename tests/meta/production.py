"""Variables of a production that has nothing left to secure; nothing is connected to."""

KEYS = {
    "SECRET_KEY": "Xp2" * 30 + "!#%&(=)Qw",
    "LINKING_KEY": "0123456789abcdef" * 4,
    "SECOND_FACTOR_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "EXTRACT_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "TRIAL_SEAL_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}
PRODUCTION = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgres://src_runtime@db/src",
    "DATABASE_OWNER_URL": "postgres://src_owner@db/src",
    "REDIS_URL": "redis://redis:6379/0",
    "ALLOWED_HOSTS": "contact.example",
    "WORK_EMAIL_DOMAINS": "contact.example",
    "SITE_URL": "https://contact.example",
    **KEYS,
}
