"""What the platform does about outcomes: it makes those of sets that are over, and makes them anew when readings may have come late."""
