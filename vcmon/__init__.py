"""vcmon watches the video-conference links between the Centre and the provinces."""

__version__ = "0.1.0"
