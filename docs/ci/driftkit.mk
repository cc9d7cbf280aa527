# include driftkit.mk
ORIGINAL ?= vectors/original.npy
CANDIDATE ?= vectors/candidate.npy
BASELINE ?= driftkit-baseline.json

.PHONY: vectors-check vectors-accept

vectors-check:  ## fail when the candidate lost what the original knew
	driftkit check $(ORIGINAL) $(CANDIDATE) --baseline $(BASELINE) --junit driftkit-junit.xml

vectors-accept:  ## accept the candidate as the baseline; look at the difference
	driftkit baseline update $(ORIGINAL) $(CANDIDATE) --baseline $(BASELINE)
