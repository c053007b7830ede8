"""What people are told about the work: briefings and who attended, guidance, help, and the banner."""
