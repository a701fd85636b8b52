"""What happened? Pictures and tables of a search, made without torch."""
