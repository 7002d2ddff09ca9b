"""What the platform does about reliability findings: it reads the law, looks for cases, and carries findings through answer and close."""
