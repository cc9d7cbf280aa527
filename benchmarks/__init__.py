"""Speed, validity and the study of forgetting; run from a checkout."""
