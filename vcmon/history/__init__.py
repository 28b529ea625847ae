"""What we remember: intervals, incidents, maintenance, and the figures that are made of them."""
