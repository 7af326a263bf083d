"""From a slot to a visit that took place: holds, appointments and their one table of transitions."""
