"""What a later extract changes after the decision, and flag 49 on the crime management system."""
