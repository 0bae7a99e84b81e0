"""What becomes of the sound while Python stalls: an experiment, run by ``make stall``."""
