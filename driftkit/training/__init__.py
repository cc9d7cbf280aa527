"""Train without forgetting: schedules and regularizers that keep knowledge, a monitor of drift."""
