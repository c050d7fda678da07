"""Speed, as ratios within one run. `python -m bench` prints the tables; see each module for the peer."""
