"""Rules of a randomised trial: pure Python."""
