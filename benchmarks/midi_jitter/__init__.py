"""An experiment: how regularly notes become sound while Python collects garbage. ``make jitter`` runs it."""
