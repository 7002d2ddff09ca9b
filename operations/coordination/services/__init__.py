"""Say what an interface and a line can carry; have it computed what can be delivered."""
