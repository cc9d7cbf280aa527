"""The HTML report: one file that opens from disk, offline, with nothing beside it.

`listed` chooses the words, `strings` and `words` put them and the map into compact JSON, `sections`
says in order what the findings say, and `build` puts all into ``page.html``, with ``page.css`` and
``page.js`` inside. What Python writes is read without JavaScript; words and map need it.
"""
