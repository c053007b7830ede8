"""Files that are tables, text or spreadsheet, as rows of text: for extracts, outcomes and flags alike."""
