"""The benchmarks known by name: what each is and where its file comes from.

A licence is ``"not stated"`` where neither the file, nor the repository it is pinned in, nor what
could be read of its authors' page and paper states one for the data.
"""

from __future__ import annotations

from driftkit.datasets.dataset import Dataset, Packaged, Pinned

NOT_STATED = "not stated"

FARUQUI = (
    "mfaruqui/eval-word-vectors",
    "94b3dd9fdbac7ed08dbee7179cd5ee464acf0594",
    "data/word-sim",
)
NGRAM2VEC = ("zhezhaoa/ngram2vec", "e57c623a5dfe5df4ea0be3f04ad52045aaa6360f", "testsets/analogy")
VECTO = ("vecto-ai/word-benchmarks", "9b61d0e067e2e68af22160d09450f82d9544cd70")
CATEGORIES = (*VECTO, "word-categorization/monolingual/en")
OUTLIERS = (*VECTO, "outlier-detection/monolingual/en")
"""Repository, commit, folder."""

CATALOG = (
    # These three come with gensim and are the default.
    Dataset(
        "ws353", "similarity", "en", 353, NOT_STATED,
        "Finkelstein et al. 2002, Placing search in context: the concept revisited",
        Packaged("gensim", "test/test_data/wordsim353.tsv"),
    ),
    Dataset(
        "simlex999", "similarity", "en", 999, NOT_STATED,
        "Hill, Reichart & Korhonen 2015, SimLex-999: evaluating semantic models with "
        "(genuine) similarity estimation",
        Packaged("gensim", "test/test_data/simlex999.txt"),
    ),
    Dataset(
        "google", "analogy", "en", 19544, "Apache-2.0 (as part of word2vec)",
        "Mikolov, Chen, Corrado & Dean 2013, Efficient estimation of word representations "
        "in vector space",
        Packaged("gensim", "test/test_data/questions-words.txt"),
    ),
    Dataset(
        "men", "similarity", "en", 3000, NOT_STATED,
        "Bruni, Tran & Baroni 2014, Multimodal distributional semantics",
        Pinned(
            *FARUQUI, "EN-MEN-TR-3k.txt",
            "888b13580faa362c7b11da0a670258cf1b1eb4bf0ecbcd418918729a3bd3f43a",
        ),
    ),
    Dataset(
        "mturk287", "similarity", "en", 287, NOT_STATED,
        "Radinsky, Agichtein, Gabrilovich & Markovitch 2011, A word at a time: computing word "
        "relatedness using temporal semantic analysis",
        Pinned(
            *FARUQUI, "EN-MTurk-287.txt",
            "a9ae3a9decb75a9700fe0cf18b048c1344774d9f40e0196baf8e34d4cd9d1ce5",
        ),
    ),
    Dataset(
        "mturk771", "similarity", "en", 771, NOT_STATED,
        "Halawi, Dror, Gabrilovich & Koren 2012, Large-scale learning of word relatedness with "
        "constraints",
        Pinned(
            *FARUQUI, "EN-MTurk-771.txt",
            "04dc297c9e86b6fa7cf8ef0e4ba2e2c8d3399ec68d92fb7a53c0b4aae27198b5",
        ),
    ),
    Dataset(
        "rg65", "similarity", "en", 65, NOT_STATED,
        "Rubenstein & Goodenough 1965, Contextual correlates of synonymy",
        Pinned(
            *FARUQUI, "EN-RG-65.txt",
            "c243f3a91c3f5d8cf67f21a67f6fb80bde8b6bb060851a6a48e6f2d68ec98c9f",
        ),
    ),
    Dataset(
        "mc30", "similarity", "en", 30, NOT_STATED,
        "Miller & Charles 1991, Contextual correlates of semantic similarity",
        Pinned(
            *FARUQUI, "EN-MC-30.txt",
            "33ee05911496ff83d95cac351d0746c6f63b9181b605cb7d307f4daa8864511b",
        ),
    ),
    Dataset(
        "rw", "similarity", "en", 2034, NOT_STATED,
        "Luong, Socher & Manning 2013, Better word representations with recursive neural "
        "networks for morphology",
        Pinned(
            *FARUQUI, "EN-RW-STANFORD.txt",
            "5108d54dfc746f44f9c3d7e31d2857c37cf71430bc1594175a61a3b89bb0ae1f",
        ),
    ),
    Dataset(
        "simverb3500", "similarity", "en", 3500, NOT_STATED,
        "Gerz, Vulić, Hill, Reichart & Korhonen 2016, SimVerb-3500: a large-scale evaluation "
        "set of verb similarity",
        Pinned(
            *FARUQUI, "EN-SimVerb-3500.txt",
            "9d84274e7ad029fd3cf69dd0516e9ade624bbef9bd4e2050f6cc1fa01471e0f5",
        ),
    ),
    Dataset(
        "verb143", "similarity", "en", 144, NOT_STATED,
        "Baker, Reichart & Korhonen 2014, An unsupervised model for instance level "
        "subcategorization acquisition",
        Pinned(
            *FARUQUI, "EN-VERB-143.txt",
            "7259e19961c81912aa4c72de0102e480b2ad2bb9f4ce97d036fbde8e1a403001",
        ),
    ),
    Dataset(
        "ws353-sim", "similarity", "en", 203, NOT_STATED,
        "Agirre et al. 2009, A study on similarity and relatedness using distributional and "
        "WordNet-based approaches",
        Pinned(
            *FARUQUI, "EN-WS-353-SIM.txt",
            "f1da938998863c94e53f72f984a5c6e215f0b46c323aae8f0f4930703a339107",
        ),
    ),
    Dataset(
        "ws353-rel", "similarity", "en", 252, NOT_STATED,
        "Agirre et al. 2009, A study on similarity and relatedness using distributional and "
        "WordNet-based approaches",
        Pinned(
            *FARUQUI, "EN-WS-353-REL.txt",
            "66a7c88100624d0a391605ff61ce84e11d11ee620d51ec0298da49592838f8fa",
        ),
    ),
    Dataset(
        "yp130", "similarity", "en", 130, NOT_STATED,
        "Yang & Powers 2006, Verb similarity on the taxonomy of WordNet",
        Pinned(
            *FARUQUI, "EN-YP-130.txt",
            "7643fdbc6158c3424061e2cba450c71285767266ff9f3db947bfc1f1f5ce67ab",
        ),
    ),
    Dataset(
        "msr", "analogy", "en", 8000, NOT_STATED,
        "Mikolov, Yih & Zweig 2013, Linguistic regularities in continuous space word "
        "representations",
        Pinned(
            *NGRAM2VEC, "msr.txt",
            "6e8d8a1d83165250631e5d74689837ab11bd00b7547a1d5e7000fa8bb4e259ef",
        ),
    ),
    Dataset(
        "ap", "categorization", "en", 402, NOT_STATED,
        "Almuhareb & Poesio 2005, Concept learning and categorization from the web",
        Pinned(
            *CATEGORIES, "ap.csv",
            "0efdcdf298946620f4d3db17743483b45ac09169c3ef943761d52ff9a0de8974",
        ),
    ),
    Dataset(
        "bless", "categorization", "en", 200, NOT_STATED,
        "Baroni & Lenci 2011, How we BLESSed distributional semantic evaluation",
        Pinned(
            *CATEGORIES, "bless.csv",
            "cf14ae0c0feeb78a7d85e0a3ca725ab5f573677ceaa950b7417db749a7012cc3",
        ),
    ),
    Dataset(
        "battig", "categorization", "en", 5231, NOT_STATED,
        "Battig & Montague 1969, Category norms of verbal items in 56 categories",
        Pinned(
            *CATEGORIES, "battig.csv",
            "b7146cac221664de3781d47b8463c4e50841a138be26ff96f2d4aa4110126898",
        ),
    ),
    Dataset(
        "esslli2008", "categorization", "en", 45, NOT_STATED,
        "Baroni, Evert & Lenci 2008, Bridging the gap between semantic theory and "
        "computational simulations: proceedings of the ESSLLI workshop on distributional "
        "lexical semantics",
        Pinned(
            *CATEGORIES, "essli-2008.csv",
            "b41a8437ea6165bb3f96751f1fb51b4be5a200c02cf28ae7ca7b42ddc631c320",
        ),
    ),
    Dataset(
        "8-8-8", "outliers", "en", 64, NOT_STATED,
        "Camacho-Collados & Navigli 2016, Find the word that does not belong: a framework for "
        "an intrinsic evaluation of word vector representations",
        Pinned(
            *OUTLIERS, "8-8-8.csv",
            "c3b02e9323cbf0a31a30e9ef35be87c687f75f671939f46a84fc74745c96cb35",
        ),
    ),
    Dataset(
        "wikisem500", "outliers", "en", 2812, NOT_STATED,
        "Blair, Merhav & Barry 2016, Automated generation of multilingual clusters for the "
        "evaluation of distributed representations",
        Pinned(
            *OUTLIERS, "wikisem500.csv",
            "7e2a41d8c6a190fcdaa691b6a51552d07e6b02f5ae9cb2890d4569777aa6e663",
        ),
    ),
)  # fmt: skip
