"""From a selection to values: plan, fetch, decode, place."""
