"""What each BCU asks of its teams and by when, and bank holidays."""
