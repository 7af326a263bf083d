"""Who can be found: listings, services, teams, vocabularies and the published copy of a profile per listing."""
