"""An experiment: what happens to the sound while Python stalls. ``make stall`` runs it."""
