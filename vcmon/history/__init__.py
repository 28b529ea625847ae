"""What is remembered: intervals of state, incidents, maintenance, and the figures made of them."""
