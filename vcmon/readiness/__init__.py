"""WHO can join: meetings, their checkpoints and roll-calls. Pure, but for who keeps the time."""
