"""Taking in outcomes, and writing down a night's rates."""

import csv
